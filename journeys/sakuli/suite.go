package sakuli

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// A Suite is a Sakuli test suite, read and checked. It is a value that nothing changes.
type Suite struct {
	ID   string // testsuite.id, else the name of the directory
	Name string // testsuite.name, else the ID

	dir               string
	warning, critical time.Duration // 0 is no limit
	typeDelay         time.Duration // between two keys
	screenshots       bool          // keep a picture of a failure
	reuse             bool          // one page for all cases
	cases             []testCase
	vars              map[string]string
	environ           func(name string) (string, bool)
	secrets           *kind.Secrets
}

// A testCase is one line of the suite file.
type testCase struct {
	name   string // the folder of its file, as version 1 calls it
	url    string // where it starts; empty is nowhere
	main   *source
	loaded map[string]*source // by path in the suite; what it includes is there too
}

// Load reads the suite at path, a .suite file or its directory. vars are the variables
// around it, which ${} in the suite file and the properties may use; given is what the
// JavaScript finds in vars. What cannot run here is told with its file, line and
// column; properties that have no meaning here are warned of in log.
func Load(path string, vars *kind.Vars, given map[string]string, log *slog.Logger) (*Suite, error) {
	file := filepath.Clean(path)
	if filepath.Ext(file) != ".suite" {
		file = filepath.Join(file, suiteFile)
	}
	lines, err := readLines(file)
	if err != nil {
		return nil, err
	}
	v := *vars
	v.Dir = filepath.Dir(file)
	v.Named = maps.Clone(vars.Named)
	if v.Named == nil {
		v.Named = map[string]string{}
	}
	maps.Copy(v.Named, given)
	s := &Suite{dir: v.Dir, vars: given, environ: environ(&v), secrets: v.Secrets}
	if err := s.readProperties(&v, log); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, fmt.Errorf("suite: %w", err)
	}
	defer func() { _ = root.Close() }()
	for _, l := range lines {
		text := strings.TrimSpace(l.Text)
		if text == "" || strings.HasPrefix(text, "//") {
			continue
		}
		if l, err = l.Expand(&v); err != nil {
			return nil, err
		}
		c, err := loadCase(root, l)
		if err != nil {
			return nil, err
		}
		s.cases = append(s.cases, c)
	}
	if len(s.cases) == 0 {
		return nil, fmt.Errorf("%s: got no case, want lines such as: case1/check.js https://shop.example/", file)
	}
	return s, nil
}

// environ looks up what process.env shows.
func environ(v *kind.Vars) func(string) (string, bool) {
	return func(name string) (string, bool) {
		n, err := kind.Node{Shape: kind.Scalar, Text: "${env:" + name + "}"}.Expand(v)
		return n.Text, err == nil
	}
}

// readLines reads a file as one node a line.
func readLines(file string) ([]kind.Node, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("suite: %w", err)
	}
	var lines []kind.Node
	for i, line := range strings.Split(string(text), "\n") {
		lines = append(lines, kind.Node{File: file, Line: i + 1, Col: 1, Shape: kind.Scalar, Text: line})
	}
	return lines, nil
}

// loadCase reads the case of one line of the suite file.
func loadCase(root *os.Root, line kind.Node) (testCase, error) {
	fields := strings.Fields(line.Text)
	if len(fields) > 2 {
		return testCase{}, line.Errorf("got %d words, want the path of a case and where it starts", len(fields))
	}
	c := testCase{loaded: map[string]*source{}}
	if len(fields) == 2 {
		c.url = fields[1]
		u, err := url.Parse(c.url)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return c, line.Errorf("got %q, want an address with http:// or https:// after the path", fields[1])
		}
	}
	name, err := caseFile(root.FS(), path.Clean(filepath.ToSlash(fields[0])))
	if err != nil {
		return c, line.Errorf("case %s: %w", fields[0], err)
	}
	c.name = path.Base(path.Dir(name))
	if c.name == "." {
		c.name = strings.TrimSuffix(path.Base(name), ".js")
	}
	l := &loader{root: root, loaded: c.loaded}
	if c.main, err = l.load(name); err != nil {
		return c, err
	}
	return c, l.check()
}

// caseFile finds the JavaScript of a case whose line may name its folder.
func caseFile(in fs.FS, name string) (string, error) {
	info, err := fs.Stat(in, name)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return name, nil
	}
	found, err := fs.Glob(in, path.Join(name, "*.js"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("got a folder with %d files of JavaScript, want one, or its path", len(found))
	}
	return found[0], nil
}

var errOutside = errors.New("it is not in the suite's directory, and a suite may read nothing else")
