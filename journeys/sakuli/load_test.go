package sakuli

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What cannot run is told when the suite is read, with its place.
func TestBadSuites(t *testing.T) {
	t.Parallel()
	const line = "case1/check.js http://shop.test/\n"
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string // behind the directory
	}{
		{"no suite file", map[string]string{"case1/check.js": ""}, "no such file"},
		{"no case", map[string]string{"testsuite.suite": "// nothing\n"}, "/testsuite.suite: got no case, want lines such as: case1/check.js https://shop.example/"},
		{"no such case", map[string]string{"testsuite.suite": "\n" + line}, "/testsuite.suite:2:1: case case1/check.js: statat case1/check.js: no such file or directory"},
		{"case outside", map[string]string{"testsuite.suite": "../check.js"}, "/testsuite.suite:1:1: case ../check.js: stat ../check.js: invalid argument"},
		{"three words", map[string]string{"testsuite.suite": "a b c"}, "/testsuite.suite:1:1: got 3 words, want the path of a case and where it starts"},
		{"not an address", map[string]string{"testsuite.suite": "case1 shop.test", "case1/check.js": ""}, `/testsuite.suite:1:1: got "shop.test", want an address with http:// or https:// after the path`},
		{"unset variable", map[string]string{"testsuite.suite": "case1 ${env:NOWHERE}"}, "/testsuite.suite:1:1: ${env:NOWHERE}: environment variable NOWHERE is not set"},
		{"two files in a folder", map[string]string{"testsuite.suite": "case1", "case1/a.js": "", "case1/b.js": ""}, "/testsuite.suite:1:1: case case1: got a folder with 2 files of JavaScript, want one, or its path"},
		{"TypeScript", map[string]string{"testsuite.suite": "case1/check.ts", "case1/check.ts": ""}, "/case1/check.ts: got a file of .ts, want JavaScript; of TypeScript, what its compiler makes of it"},
		{"no JavaScript", map[string]string{"testsuite.suite": line, "case1/check.js": "var x = 1;\nvar = 2;"}, "/case1/check.js:2:5: Unexpected token ="},
		{"a module", map[string]string{"testsuite.suite": line, "case1/check.js": "import {TestCase} from '@sakuli/legacy-types';"}, "/case1/check.js:1:1: "},
		{"Region", map[string]string{"testsuite.suite": line, "case1/check.js": "var t = new TestCase(1);\nvar screen = new Region();"}, "/case1/check.js:2:18: got Region, which Foreshock does not run: there is a browser here, and no desktop"},
		{"Environment", map[string]string{"testsuite.suite": line, "case1/check.js": "var env = new Environment(), screen;"}, "/case1/check.js:1:15: got Environment, which Foreshock does not run: there is no desktop here: for sleep write _wait(MILLISECONDS)"},
		{"Application", map[string]string{"testsuite.suite": line, "case1/check.js": "(async () => {\n  const app = new Application('gedit');\n})()"}, "/case1/check.js:2:19: got Application"},
		{"Key", map[string]string{"testsuite.suite": line, "case1/check.js": "_type(_textbox(0), Key.ENTER)"}, "/case1/check.js:1:20: got Key"},
		{"MouseButton", map[string]string{"testsuite.suite": line, "case1/check.js": "x(MouseButton.LEFT)"}, "/case1/check.js:1:3: got MouseButton"},
		{"in an included file", map[string]string{"testsuite.suite": line, "case1/check.js": "_include('../lib/a.js')", "lib/a.js": "\n\n _selectWindow('x')"}, "/lib/a.js:3:2: got _selectWindow, which Foreshock does not run: a case has one page here"},
		{"in a required file", map[string]string{"testsuite.suite": line, "case1/check.js": "const a = require('./a')", "case1/a.js": "new Region()"}, "/case1/a.js:1:5: got Region"},
		{"included from outside", map[string]string{"testsuite.suite": line, "case1/check.js": "_include('../../a.js')"}, "a.js: it is not in the suite's directory, and a suite may read nothing else"},
		{"a slip", map[string]string{"testsuite.suite": line, "case1/check.js": "_clik(_link('x'))"}, `/case1/check.js:1:1: unknown word of Sakuli "_clik"; did you mean "_click"?`},
		{"a secret of version 1", map[string]string{"testsuite.suite": line, "case1/check.js": "_setValue(_password(0), $secret)"}, "/case1/check.js:1:25: got $secret, which Foreshock does not run: encrypted secrets are not read here"},
		{"a key", map[string]string{"testsuite.suite": line, "case1/check.js": "", "testsuite.properties": "testsuite.id=x\nsakuli.encryption.key=c1ph3r"}, "/testsuite.properties:2:1: sakuli.encryption.key: encrypted secrets are not read here: take the key out"},
		{"the desktop alone", map[string]string{"testsuite.suite": line, "case1/check.js": "", "testsuite.properties": "testsuite.uiOnly=true"}, "/testsuite.properties:1:1: testsuite.uiOnly: a suite of the desktop alone cannot run here"},
		{"no number", map[string]string{"testsuite.suite": line, "case1/check.js": "", "testsuite.properties": "testsuite.warningTime=soon"}, `/testsuite.properties:1:1: testsuite.warningTime: got "soon", want a number of seconds of 0 or more`},
		{"thresholds", map[string]string{"testsuite.suite": line, "case1/check.js": "", "testsuite.properties": "testsuite.warningTime=5\ntestsuite.criticalTime=4"}, "/testsuite.properties:1:1: testsuite.warningTime: got 5s, want less than testsuite.criticalTime, which is 4s"},
		{"no property", map[string]string{"testsuite.suite": line, "case1/check.js": "", "testsuite.properties": "# x\nhello"}, "/testsuite.properties:2:1: got no =, want NAME=VALUE"},
		{"a property of itself", map[string]string{"testsuite.suite": line, "case1/check.js": "", "testsuite.properties": "testsuite.id=${testsuite.id}"}, "/testsuite.properties:1:1: ${testsuite.id}: it is part of itself"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := writeFiles(t, tc.files)
			_, err := Load(dir, testVars("http://shop.test"), nil, discard())
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir, ""), tc.want) {
				t.Errorf("got %v\nwant %s", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "c1ph3r") {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

// A link may not lead a suite out of its directory.
func TestLinkOutside(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{"testsuite.suite": "case1/check.js", "../secret.js": ""})
	if err := os.MkdirAll(filepath.Join(dir, "case1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "..", "secret.js"), filepath.Join(dir, "case1", "check.js")); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir, testVars(""), nil, discard()); err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Errorf("got %v, want that the path escapes", err)
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s, err := Load(writeFiles(t, map[string]string{
		"testsuite.suite": "case1", "case1/check.js": "",
		"../sakuli.properties": "sakuli.typeDelay=50\ntestsuite.criticalTime=99\nsakuli.screenshot.onError=false",
		"testsuite.properties": "testsuite.id = mugs\ntestsuite.name: All of ${testsuite.id} at ${env:SHOP_URL}\n! more\n" +
			"testsuite.warningTime=4.5\ntestsuite.criticalTime=5\ntestsuite.browser=firefox\nsakuli.autoHighlight=true\nsakuli.encryption.key=",
	}), testVars("http://shop.test"), nil, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if s.ID != "mugs" || s.Name != "All of mugs at http://shop.test" || s.warning != 4500*time.Millisecond || s.critical != 5*time.Second ||
		s.typeDelay != 50*time.Millisecond || s.screenshots || !s.reuse {
		t.Errorf("got %+v", s)
	}
	if n := strings.Count(log.String(), "has no meaning here"); n != 2 || !strings.Contains(log.String(), "property=testsuite.browser") {
		t.Errorf("got %d warnings, want two:\n%s", n, log.String())
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	dir := writeFiles(t, map[string]string{"testsuite.suite": ""})
	for path, want := range map[string]bool{dir: true, filepath.Join(dir, "testsuite.suite"): true, filepath.Dir(dir): false, "x.yaml": false, "x.json": false} {
		if claims(path) != want {
			t.Errorf("%s: got %v, want %v", path, !want, want)
		}
	}
}
