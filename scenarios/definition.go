package scenarios

// definition is the text of the scenario's file with secrets masked.
func (s *Spec) definition() string { return s.secrets.Mask(s.text) }

// target says how the judged service is called, with secrets masked.
func (s *Spec) target() string { return s.secrets.Mask(s.Target.String()) }
