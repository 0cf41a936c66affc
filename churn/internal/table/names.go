package table

import "fmt"

// Name returns the name of choice i, or "unknown".
func Name(names []string, i int) string {
	if i >= len(names) {
		return "unknown"
	}
	return names[i]
}

// MarshalName returns the name of choice i as text. What begins the error for a choice that there is not, such as
// "survival: no band".
func MarshalName(what string, names []string, i int) ([]byte, error) {
	if i >= len(names) {
		return nil, fmt.Errorf("%s %d", what, i)
	}
	return []byte(names[i]), nil
}

// UnmarshalName returns the choice of a name. What begins the error for a name that there is not.
func UnmarshalName(what string, names []string, text []byte) (int, error) {
	for i, name := range names {
		if name == string(text) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s %q", what, text)
}
