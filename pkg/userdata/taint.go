package userdata

// Taint is a taint the kubelet puts on its own Node when it registers. Value may be empty. Effect is one of
// NoSchedule, PreferNoSchedule and NoExecute.
type Taint struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Effect string `json:"effect"`
}

// String gives the taint as a user types it: key=value:Effect, or key:Effect when there is no value.
func (t Taint) String() string {
	if t.Value == "" {
		return t.Key + ":" + t.Effect
	}
	return t.Key + "=" + t.Value + ":" + t.Effect
}
