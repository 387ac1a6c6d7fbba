package stack

// object is a mapping of the template.
type object = map[string]any

func ref(name string) object           { return object{"Ref": name} }
func sub(text string) object           { return object{"Fn::Sub": text} }
func getAtt(resource, attr string) any { return object{"Fn::GetAtt": []string{resource, attr}} }
func choose(condition string, then, otherwise any) object {
	return object{"Fn::If": []any{condition, then, otherwise}}
}

// resource is one entry of the template's Resources.
func resource(kind string, properties object) object {
	return object{"Type": kind, "Properties": properties}
}

// optional sets a property unless its value is the zero value.
func optional[V comparable](properties object, key string, value V) {
	var zero V
	if value != zero {
		properties[key] = value
	}
}
