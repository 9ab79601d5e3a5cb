package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
)

// definition is the text of the scenario's file with secrets masked. It is empty if the
// file is not any more what was read: a report never shows what was not run.
func (s *Spec) definition() string {
	text, err := os.ReadFile(s.path)
	if err != nil {
		return ""
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != s.sha256 {
		return ""
	}
	return s.secrets.Mask(string(text))
}

// target says how the judged service is called, with secrets masked.
func (s *Spec) target() string {
	if s.Target.HTTP == nil {
		return ""
	}
	return s.secrets.Mask(s.Target.HTTP.Method + " " + s.Target.HTTP.URL.String())
}
