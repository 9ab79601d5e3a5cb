package journeys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/results"
)

const (
	startLimit  = 20 * time.Second // for a browser to start on a slow machine
	removeLimit = 5 * time.Second  // for its profile to be deleted
)

// A browser is one browser process, from its start to its end.
type browser struct {
	started chan struct{}   // closed when it runs, or could not start
	err     error           // why it could not; read after started
	ctx     context.Context //nolint:containedctx // chromedp keeps a browser in a context; it ends when the browser does
	pid     int
	profile string // its directory; read after started
}

// over reports that the browser could not start, or has ended.
func (b *browser) over() bool {
	select {
	case <-b.started:
		return b.err != nil || b.ctx.Err() != nil
	default:
		return false
	}
}

// ends reports whether the browser is about to end: its connection is lost a bit
// before that is known.
func (b *browser) ends(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	select {
	case <-b.ctx.Done():
		return true
	case <-ctx.Done():
		return false
	}
}

// live starts the browser, stays until it ends or ctx does, and cleans up after it.
func (b *browser) live(ctx context.Context, o PoolOptions, log *slog.Logger) {
	begin := time.Now()
	path, err := o.find()
	var dir *profile
	if err == nil {
		dir, err = newProfile(o.Dir)
	}
	if err != nil {
		b.err = ours(err)
		close(b.started)
		return
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
		defer cancel()
		if err := dir.remove(ctx); err != nil {
			log.WarnContext(ctx, "browser profile is left behind", "dir", dir.dir, "error", err)
		}
	}()
	b.profile = dir.dir
	alloc, free := chromedp.NewExecAllocator(ctx, options(path, dir.dir, o)...)
	defer free()
	var end context.CancelFunc
	b.ctx, end = chromedp.NewContext(alloc, chromedpLog(log)...)
	defer end() // waits until the process is gone
	if err := b.start(end); err != nil {
		b.err = ours(fmt.Errorf("browser %s did not start: %w", path, tail(err)))
		close(b.started)
		return
	}
	log.InfoContext(ctx, "browser started", "path", path, "pid", b.pid, "took", time.Since(begin))
	close(b.started)
	<-b.ctx.Done()
	if ctx.Err() == nil {
		log.WarnContext(ctx, "browser ended by itself", "pid", b.pid, "lived", time.Since(begin))
	}
}

func (b *browser) start(end context.CancelFunc) error {
	slow := time.AfterFunc(startLimit, end)
	defer slow.Stop()
	if err := chromedp.Do(b.ctx); err != nil {
		return err
	}
	b.pid = chromedp.FromContext(b.ctx).Browser.Process().Pid
	return nil
}

// ours makes an error of the browser's start unknown: it says nothing of the service.
func ours(err error) error {
	if errors.Is(err, results.ErrUnknown) {
		return err
	}
	if s, c := results.Judge(err); s == results.Unknown && c == results.CauseResources {
		return results.Blind(c, err)
	}
	return results.Blind(results.CauseBrowser, err)
}

// tail keeps the last lines of a long text: where a browser says why it gave up.
func tail(err error) error {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	if len(lines) <= 4 {
		return err
	}
	return errors.New(strings.Join(append(lines[:1], lines[len(lines)-3:]...), "; "))
}

// options is the browser's command line. Nothing of it may reach out to anyone but
// the service: no updates, no reports, no accounts, no lists, no proxy unless asked
// for. The environment is not passed on: it may hold secrets.
func options(path, dir string, o PoolOptions) []chromedp.ExecAllocatorOption {
	flags := map[string]string{
		"headless": "", "hide-scrollbars": "", "mute-audio": "", "disable-gpu": "", "window-size": "1280,800",
		"no-first-run": "", "no-default-browser-check": "", "disable-default-apps": "", "disable-extensions": "",
		"disable-background-networking": "", "disable-component-update": "", "disable-sync": "", "disable-quic": "",
		"disable-domain-reliability": "", "disable-client-side-phishing-detection": "", "safebrowsing-disable-auto-update": "",
		"disable-breakpad": "", "disable-crash-reporter": "", "metrics-recording-only": "", "no-pings": "",
		"no-proxy-server": "", "no-service-autorun": "", "password-store": "basic", "use-mock-keychain": "",
		"disable-background-timer-throttling": "", "disable-backgrounding-occluded-windows": "",
		"disable-renderer-backgrounding": "", "disable-ipc-flooding-protection": "", "disable-hang-monitor": "",
		"disable-popup-blocking": "", "allow-pre-commit-input": "", // a click before the first frame counts
		"disable-site-isolation-trials": "", // frames of other sites are found like others
		"disable-prompt-on-repost":      "", "enable-automation": "", "force-color-profile": "srgb",
		"disable-features": "Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,AutofillServerCommunication," +
			"InterestFeedContentSuggestions,CertificateTransparencyComponentUpdater",
	}
	if smallShm() {
		flags["disable-dev-shm-usage"] = ""
	}
	if o.NoSandbox || os.Getuid() == 0 { // Chromium refuses its sandbox to root
		flags["no-sandbox"] = ""
	}
	if _, ok := o.Flags["proxy-server"]; ok {
		delete(flags, "no-proxy-server")
	}
	if len(o.Author.Screen) > 0 {
		delete(flags, "headless")
		delete(flags, "hide-scrollbars")
	}
	maps.Copy(flags, o.Flags)
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.ModifyCmdFunc(o.Author.prepare),
		chromedp.NoInheritEnv,
		chromedp.Env("HOME="+dir, "TMPDIR="+dir, "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"),
		chromedp.Env(o.Author.Screen...),
	}
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		if flags[name] == "" {
			opts = append(opts, chromedp.Flag(name, true))
			continue
		}
		opts = append(opts, chromedp.Flag(name, flags[name]))
	}
	return opts
}

// chromedpLog takes what chromedp would print by itself.
func chromedpLog(log *slog.Logger) []chromedp.ContextOption {
	to := func(format string, args ...any) {
		log.Debug("chromedp", "text", fmt.Sprintf(format, args...))
	}
	return []chromedp.ContextOption{
		chromedp.WithLogf(to), chromedp.WithErrorf(to),
		chromedp.WithBrowserOption(chromedp.WithConsolef(func(string, ...any) {})),
	}
}

// slots is how many journeys run at once by default: one costs a core while it runs.
func slots() int { return runtime.GOMAXPROCS(0) }
