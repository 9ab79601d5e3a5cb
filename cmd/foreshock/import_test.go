package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestImport(t *testing.T) {
	t.Parallel()
	s := newShell(t, "LOGIN_KEY=open sesame")
	s.file("login.json", `{"title": "Log in", "steps": [
  {"type": "navigate", "url": "http://127.0.0.1:1/"},
  {"type": "change", "selectors": [["aria/Password"], ["#key"]], "value": "hunter2"},
  {"type": "close"}
]}`)
	s.foreshock(0, "import", "recorder", "login.json").
		out(`^# Imported from "login.json", a recording`).out("name: Log in").out(`- fill: .*value: "hunter2"`).
		err(`warning: login.json:3:75: step 2 fill "Password": the recording holds in clear.*\$\{env:NAME\}`).
		err("warning: login.json:4:3: step 3 close: .* left out")

	s.foreshock(0, "import", "recorder", "login.json", "-o", "login.yaml").out("^$").err("step 2 fill")
	path := filepath.Join(s.dir, "login.yaml")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want a file that only its owner reads: it holds what was typed", info, err)
	}
	s.foreshock(2, "import", "recorder", "login.json", "-o", "login.yaml").out("^$").err("login.yaml: exists already; name another file, or remove it")

	// The file and the recording are both journeys.
	s.file("foreshock.yaml", `
store: {sqlite: {path: results.db}}
checks:
  - {name: file, every: 1m, journey: {file: login.yaml}}
  - {name: recording, every: 1m, journey: {file: login.json}}
`)
	s.foreshock(0, "config", "validate").out("valid, 2 checks")

	s.file("key.json", `{"title": "x", "steps": [{"type": "navigate", "url": "http://127.0.0.1:1/"}, {"type": "keyDown", "key": "Entr"}]}`)
	s.foreshock(2, "import", "recorder", "key.json").out("^$").err(`key.json:1:\d+: key: unknown key "Entr"; did you mean "Enter"`)
	s.file("custom.json", `{"title": "x", "steps": [{"type": "customStep", "name": "shot"}]}`)
	s.foreshock(2, "import", "recorder", "custom.json").out("^$").err(`custom.json:1:26: step 1: got customStep "shot", which only the extension`)
	s.foreshock(2, "import", "recorder", "nowhere.json").err("nowhere.json: no such file or directory")
	s.foreshock(2, "import", "recorder").err("import recorder: got 0 files, want one")
	s.foreshock(2, "import", "recoder", "login.json").err(`unknown importer "recoder"; did you mean "recorder"\?`)
	s.foreshock(0, "import", "-h").out("importer: one of recorder")
	s.foreshock(0, "import", "recorder", "-h").err("FILE \\[-o FILE\\]")
}
