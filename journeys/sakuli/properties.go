package sakuli

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// properties are what the files of properties say, with the place of each.
type properties map[string]kind.Node

// readProperties reads testsuite.properties, and below it sakuli.properties of the
// suite and of the directory above it.
func (s *Suite) readProperties(v *kind.Vars, log *slog.Logger) error {
	p := properties{}
	for _, file := range []string{
		filepath.Join(s.dir, "..", "sakuli.properties"), filepath.Join(s.dir, "sakuli.properties"),
		filepath.Join(s.dir, "testsuite.properties"),
	} {
		if err := p.read(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	known := map[string]func(n kind.Node) error{
		"testsuite.id":               text(&s.ID),
		"testsuite.name":             text(&s.Name),
		"testsuite.warningTime":      length(&s.warning, time.Second),
		"testsuite.criticalTime":     length(&s.critical, time.Second),
		"testsuite.reuseBrowser":     yes(&s.reuse),
		"sakuli.screenshot.onError":  yes(&s.screenshots),
		"sakuli.typeDelay":           length(&s.typeDelay, time.Millisecond),
		"testsuite.uiOnly":           noDesktop,
		"ui-only":                    noDesktop,
		"sakuli.encryption.key":      noCipher,
		"sakuli.encryption.key.file": noCipher,
	}
	s.reuse, s.screenshots = true, true
	for _, name := range slices.Sorted(maps.Keys(p)) {
		n := p[name]
		take, ok := known[name]
		if !ok {
			log.Warn("a property of the suite has no meaning here and is ignored", "property", name, "file", n.File, "line", n.Line)
			continue
		}
		n, err := p.expand(n, v, nil)
		if err != nil {
			return err
		}
		if err := take(n); err != nil {
			return n.Errorf("%s: %w", name, err)
		}
	}
	abs, err := filepath.Abs(s.dir)
	if err != nil {
		return fmt.Errorf("suite: %w", err)
	}
	if s.ID == "" {
		s.ID = filepath.Base(abs)
	}
	if s.Name == "" {
		s.Name = s.ID
	}
	if s.critical > 0 && s.warning >= s.critical {
		return p["testsuite.warningTime"].Errorf("testsuite.warningTime: got %v, want less than testsuite.criticalTime, which is %v", s.warning, s.critical)
	}
	return nil
}

// read adds what a file says to what is known, and replaces it.
func (p properties) read(file string) error {
	lines, err := readLines(file)
	if err != nil {
		return err
	}
	for _, l := range lines {
		text := strings.TrimSpace(l.Text)
		if text == "" || text[0] == '#' || text[0] == '!' {
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			if name, value, ok = strings.Cut(text, ":"); !ok {
				return l.Errorf("got no =, want NAME=VALUE")
			}
		}
		l.Text = strings.TrimSpace(value)
		p[strings.TrimSpace(name)] = l
	}
	return nil
}

// expand replaces the ${} of a value: of other properties, and of vars.
func (p properties) expand(n kind.Node, v *kind.Vars, within []string) (kind.Node, error) {
	known := *v
	known.Named = maps.Clone(v.Named)
	for name, other := range p {
		if !strings.Contains(n.Text, "${"+name+"}") {
			continue
		}
		if slices.Contains(within, name) {
			return n, n.Errorf("${%s}: it is part of itself", name)
		}
		value, err := p.expand(other, v, append(within, name))
		if err != nil {
			return n, err
		}
		known.Named[name] = value.Text
	}
	return n.Expand(&known)
}

func text(to *string) func(kind.Node) error {
	return func(n kind.Node) error {
		*to = strings.Trim(n.Text, `"`)
		return nil
	}
}

func yes(to *bool) func(kind.Node) error {
	return func(n kind.Node) (err error) {
		if *to, err = strconv.ParseBool(n.Text); err != nil {
			return fmt.Errorf("got %q, want true or false", n.Text)
		}
		return nil
	}
}

func length(to *time.Duration, unit time.Duration) func(kind.Node) error {
	return func(n kind.Node) error {
		x, err := strconv.ParseFloat(n.Text, 64)
		if err != nil || x < 0 || x > 1e6 {
			return fmt.Errorf("got %q, want a number of %s of 0 or more", n.Text, map[time.Duration]string{time.Second: "seconds", time.Millisecond: "milliseconds"}[unit])
		}
		*to = time.Duration(x * float64(unit))
		return nil
	}
}

func noDesktop(n kind.Node) error {
	if on, err := strconv.ParseBool(n.Text); err == nil && !on {
		return nil
	}
	return errors.New("a suite of the desktop alone cannot run here: there is a browser, and no desktop")
}

func noCipher(n kind.Node) error {
	if strings.Trim(n.Text, `"`) == "" {
		return nil
	}
	return errors.New("encrypted secrets are not read here: take the key out, put the secret itself into the " +
		"environment, and hand it over in the configuration (vars: {password: \"${env:SHOP_PASSWORD}\"}) as vars.password")
}
