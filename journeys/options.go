package journeys

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// PoolOptions says which browser to use and how; the zero value serves.
type PoolOptions struct {
	Browser   string            // path or name; empty looks for one, see [FindBrowser]
	Remote    string            // DevTools address of a browser that runs already, ws:// or http://; it is used instead
	Flags     map[string]string // added to the command line, without dashes; "" is a flag without a value
	Dir       string            // where temporary profiles go; empty is the system's directory
	Max       int               // journeys at once; 0 is one for each core
	NoSandbox bool              // for machines that do not allow Chromium's sandbox
	Recycle   Recycle
	Author    Authoring // how somebody looks on
}

// Recycle says when a browser of ours is replaced by a new one. A limit of 0 is the
// default, which a browser keeps well below unless a page makes it leak.
type Recycle struct {
	Runs   int           // 1000
	Age    time.Duration // 24 hours
	Memory int64         // 1 GiB, in bytes, of all its processes, what they share with others left out
}

// optionFields are [PoolOptions] as they are written.
type optionFields struct {
	Path      string        `yaml:"path"`       // of the browser, or its name; empty looks for one
	Remote    string        `yaml:"remote"`     // DevTools address of a browser that runs already, instead of path
	Max       int           `yaml:"max"`        // journeys at once; 0 is one for each core
	NoSandbox bool          `yaml:"no_sandbox"` // for machines that do not allow Chromium's sandbox
	Recycle   recycleFields `yaml:"recycle"`    // when a browser is replaced by a new one
}

// recycleFields are [Recycle] as it is written.
type recycleFields struct {
	Runs   int           `yaml:"runs"`   // after so many journeys (1000)
	Age    time.Duration `yaml:"age"`    // after so long (24h)
	Memory size          `yaml:"memory"` // when it holds more (1GiB)
}

// OptionsSchema is the schema of what [Options] reads.
func OptionsSchema(g *kind.Schemas) *kind.Schema {
	s := g.Of(optionFields{})
	s.Not = kind.Beside("remote", "path")
	return s
}

// Options reads the key browser of a configuration.
func Options(n kind.Node) (PoolOptions, error) {
	var f optionFields
	if err := n.Decode(&f); err != nil {
		return PoolOptions{}, err
	}
	o := PoolOptions{
		Browser: f.Path, Remote: f.Remote, Max: f.Max, NoSandbox: f.NoSandbox,
		Recycle: Recycle{Runs: f.Recycle.Runs, Age: f.Recycle.Age, Memory: int64(f.Recycle.Memory)},
	}
	return o, n.Locate(o.check())
}

func (o PoolOptions) check() error {
	switch {
	case o.Max < 0:
		return kind.At("max", fmt.Errorf("got %d, want 1 or more journeys at once", o.Max))
	case o.Recycle.Runs < 0:
		return kind.At("recycle.runs", fmt.Errorf("got %d, want 1 or more", o.Recycle.Runs))
	case o.Remote == "":
		return nil
	case o.Browser != "":
		return kind.At("remote", errors.New("got it beside path, want one of the two"))
	}
	u, err := url.Parse(o.Remote)
	if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" && u.Scheme != "http" && u.Scheme != "https" {
		return kind.At("remote", errors.New("want a DevTools address such as http://127.0.0.1:9222 or ws://127.0.0.1:9222/devtools/browser/ID"))
	}
	return nil
}

func (o PoolOptions) withDefaults() PoolOptions {
	if o.Dir == "" {
		o.Dir = os.TempDir()
	}
	if o.Max <= 0 {
		o.Max = slots()
	}
	if o.Recycle.Runs <= 0 {
		o.Recycle.Runs = 1000
	}
	if o.Recycle.Age <= 0 {
		o.Recycle.Age = 24 * time.Hour
	}
	if o.Recycle.Memory <= 0 {
		o.Recycle.Memory = 1 << 30
	}
	return o
}

// due says which limit a browser has reached; empty is none.
func (r Recycle) due(s service) string {
	switch {
	case s.runs >= r.Runs:
		return fmt.Sprintf("it has served %d runs", s.runs)
	case s.age >= r.Age:
		return fmt.Sprintf("it is %v old", s.age.Round(time.Second))
	case s.memory >= r.Memory:
		return fmt.Sprintf("it holds %s of memory", mebibytes(s.memory))
	}
	return ""
}

func mebibytes(n int64) string { return strconv.FormatInt(n>>20, 10) + " MiB" }

// A size is a number of bytes, written such as 1GiB or 800MB.
type size int64

// UnmarshalNode implements [kind.Unmarshaler].
func (s *size) UnmarshalNode(n kind.Node) error {
	var text string
	if err := n.Decode(&text); err != nil {
		return err
	}
	units := []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"GB", 1e9}, {"MB", 1e6}}
	for _, u := range units {
		if digits, ok := strings.CutSuffix(text, u.name); ok {
			if v, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 32); err == nil && v > 0 {
				*s = size(v * u.size)
				return nil
			}
		}
	}
	return n.Errorf("got %q, want a size such as 1GiB or 800MB", text)
}

// NodeSchema implements [kind.Describer].
func (s *size) NodeSchema(*kind.Schemas) *kind.Schema {
	return kind.PatternSchema("^[0-9]+ *(GiB|MiB|GB|MB)$", "1GiB", "800MB")
}
