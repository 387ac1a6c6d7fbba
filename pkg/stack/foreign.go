package stack

import (
	"fmt"
	"slices"
	"strings"
)

// Summary is what CloudFormation's GetTemplateSummary says of a template.
type Summary struct {
	Parameters   []Declared
	Capabilities []string // to acknowledge
}

// Declared is one parameter a template declares.
type Declared struct {
	Key     string
	Type    string   // e.g. String, Number, List<AWS::EC2::Subnet::Id>
	Default *string  // nil when there is none: a value must then be given
	Allowed []string // empty when any value will do
}

// Edition tells the editions of AWS's template apart.
type Edition string

// The editions, and templates with none of the parameters that tell.
const (
	EditionAL2023  Edition = "al2023" // tells nodes where the API server is
	EditionAL2     Edition = "al2"    // runs bootstrap.sh
	EditionUnknown Edition = "unknown"
)

// Fitted is what to send along with a template that is not ours.
type Fitted struct {
	Edition      Edition
	Parameters   []Parameter // only keys the template declares
	Capabilities []string
	LeftOut      []string // keys that have a value but that the template does not declare
	Notes        []string // how the group will differ from one of the builtin template
}

// UnfitError says why a template cannot make the group that is asked for. At least one list is not empty.
type UnfitError struct {
	Missing []string // parameters without a default for which there is no value
	Refused []string // parameters whose value the template does not allow, with the values it does
	Wishes  []string // what was asked for and cannot be said in this template's parameters
}

func (e *UnfitError) Error() string {
	var reasons []string
	for _, list := range []struct {
		words string
		items []string
	}{
		{"it needs a value for ", e.Missing},
		{"it does not allow ", e.Refused},
		{"it cannot express ", e.Wishes},
	} {
		if len(list.items) > 0 {
			reasons = append(reasons, list.words+strings.Join(list.items, ", "))
		}
	}
	return "the template does not fit: " + strings.Join(reasons, "; ")
}

// Fit gives the parameters by which a template of AWS's parameter shape makes the group. The error is an
// *UnfitError when it cannot; what could be fitted is given all the same.
func Fit(in Input, s Summary) (Fitted, error) {
	fitted, missing, refused := Intersect(Parameters(in), s)
	fitted.Notes = notes(in, s)
	unfit := &UnfitError{Missing: missing, Refused: refused, Wishes: wishes(in, s)}
	if len(unfit.Missing)+len(unfit.Refused)+len(unfit.Wishes) > 0 {
		return fitted, unfit
	}
	return fitted, nil
}

// Intersect keeps of the parameters those the template declares, in the given order. Missing are the template's
// parameters that have neither a default nor a value; refused are values outside the allowed ones.
func Intersect(parameters []Parameter, s Summary) (fitted Fitted, missing, refused []string) {
	fitted = Fitted{Edition: edition(s), Capabilities: s.Capabilities}
	for _, p := range parameters {
		declared, ok := s.declared(p.Key)
		if !ok {
			fitted.LeftOut = append(fitted.LeftOut, p.Key)
			continue
		}
		if p.Value, ok = allowed(p, declared.Allowed); !ok {
			refused = append(refused, fmt.Sprintf("%s=%s (only %s)", p.Key, p.Value, strings.Join(declared.Allowed, ", ")))
			continue
		}
		fitted.Parameters = append(fitted.Parameters, p)
	}
	for _, declared := range s.Parameters {
		given := func(p Parameter) bool { return p.Key == declared.Key }
		if declared.Default == nil && !slices.ContainsFunc(parameters, given) {
			missing = append(missing, declared.Key)
		}
	}
	return fitted, missing, refused
}

// allowed gives the value in a spelling the template takes: the authentication mode goes by two.
func allowed(p Parameter, values []string) (string, bool) {
	if len(values) == 0 || slices.Contains(values, p.Value) {
		return p.Value, true
	}
	if p.Key == "AuthenticationMode" {
		for _, mode := range values {
			if displayMode(mode) == p.Value {
				return mode, true
			}
		}
	}
	return p.Value, false
}

func edition(s Summary) Edition {
	switch {
	case s.has("ApiServerEndpoint"):
		return EditionAL2023
	case s.has("BootstrapArguments"):
		return EditionAL2
	}
	return EditionUnknown
}

func (s Summary) declared(key string) (Declared, bool) {
	at := slices.IndexFunc(s.Parameters, func(d Declared) bool { return d.Key == key })
	if at < 0 {
		return Declared{}, false
	}
	return s.Parameters[at], true
}

func (s Summary) has(key string) bool {
	_, ok := s.declared(key)
	return ok
}
