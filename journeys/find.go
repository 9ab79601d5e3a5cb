package journeys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"

	"github.com/foreshock/foreshock/results"
)

// FindBrowser returns the path of the browser that journeys would use; look is
// exec.LookPath. Its error is unknown with cause tool, and says what to install.
func FindBrowser(look func(file string) (string, error)) (string, error) {
	for _, name := range []string{
		// Debian's /usr/bin/chromium-headless-shell is a shell script that stays
		// around the browser; the browser itself is easier to end.
		"/usr/lib/chromium/chromium-headless-shell",
		"chromium-headless-shell",
		"chrome-headless-shell",
		"headless-shell",
		"chromium",
		"chromium-browser",
		"google-chrome",
		"google-chrome-stable",
	} {
		if path, err := look(name); err == nil {
			return path, nil
		}
	}
	return "", results.Blind(results.CauseTool, errors.New(
		"no browser found, want Chromium's headless shell: apt-get install chromium-headless-shell"))
}

// BrowserVersion asks the browser at path for its version, such as "Chromium 156.0.8078.79".
func BrowserVersion(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", path, err)
	}
	version, _, _ := strings.Cut(string(out), "\n")
	if version = strings.TrimSpace(version); version == "" {
		return "", fmt.Errorf("%s --version: got no answer, want a version: is it a browser?", path)
	}
	return version, nil
}

// TrySandbox starts the browser at path, sandbox on, and ends it again. Its error says
// why it could not, and what allows it.
func TrySandbox(ctx context.Context, path string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := launch(ctx, PoolOptions{Browser: path}.withDefaults(), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	r.end()
	return nil
}
