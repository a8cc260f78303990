package finalbell

// MarshalJSON writes the orphan as the orphans line of a script prints it.
func (o Orphan) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Match   string      `json:"match"`
		Mode    string      `json:"mode"`
		Policy  CrashPolicy `json:"policy"`
		State   State       `json:"state"`
		Problem string      `json:"problem,omitempty"`
	}{o.Match, o.Mode, o.Policy, o.State, o.Problem})
}
