package results

import "slices"

// Size is how many bytes of evidence the result carries.
func (r *Result) Size() int {
	n := 0
	for _, s := range r.Steps {
		for _, a := range s.Artifacts {
			n += len(a.Data)
		}
	}
	return n
}

// WithoutEvidence returns r without the artifacts whose data it carries, and says why
// at the end of its message. r itself stays as it is.
func (r *Result) WithoutEvidence(why string) *Result {
	c := *r
	c.Steps = slices.Clone(r.Steps)
	for i, s := range c.Steps {
		c.Steps[i].Artifacts = slices.DeleteFunc(slices.Clone(s.Artifacts), func(a Artifact) bool { return a.Data != nil })
	}
	if c.Message != "" {
		c.Message += "\n"
	}
	c.Message += "no evidence is kept: " + why
	return &c
}
