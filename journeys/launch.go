package journeys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"github.com/foreshock/foreshock/results"
)

// A running is a browser that has started, or that we are connected to.
type running struct {
	ctx     context.Context //nolint:containedctx // as browser.ctx
	name    string
	pid     int // 0 is none of ours
	sandbox bool
	profile string // its directory; empty is none of ours
	end     func() // waits until the process is gone, and its profile
}

// launch starts the browser that o asks for, or connects to the one that it names.
func launch(ctx context.Context, o PoolOptions, log *slog.Logger) (*running, error) {
	if o.Remote != "" {
		return connect(ctx, o, log)
	}
	path, err := o.find()
	if err != nil {
		return nil, err
	}
	dir, err := newProfile(o.Dir)
	if err != nil {
		return nil, err
	}
	alloc, free := chromedp.NewExecAllocator(ctx, commandLine(path, dir.dir, o)...)
	bctx, stop := chromedp.NewContext(alloc, chromedpLog(log)...)
	r := &running{ctx: bctx, name: path, sandbox: !o.NoSandbox, profile: dir.dir}
	r.end = func() {
		stop() // waits until the process is gone
		free()
		endGroup(r.pid)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
		defer cancel()
		if err := dir.remove(ctx); err != nil {
			log.WarnContext(ctx, "browser profile is left behind", "dir", dir.dir, "error", err)
		}
	}
	if err := begin(bctx, stop); err != nil {
		r.end()
		return nil, notStarted(path, err, o)
	}
	r.pid = chromedp.FromContext(bctx).Browser.Process().Pid
	yieldTo(r.pid, log)
	return r, nil
}

// connect uses a browser that someone else runs. Its tabs end with our connection.
func connect(ctx context.Context, o PoolOptions, log *slog.Logger) (*running, error) {
	alloc, free := remote.NewAllocator(ctx, o.Remote)
	bctx, stop := chromedp.NewContext(alloc, append(chromedpLog(log), chromedp.WithNewBrowserContext())...)
	r := &running{ctx: bctx, name: redact(o.Remote), end: func() {
		stop()
		free()
	}}
	if err := begin(bctx, stop); err != nil {
		r.end()
		return nil, fmt.Errorf("remote browser %s: %w; is it running with --remote-debugging-port, and reached from here?", r.name, err)
	}
	return r, nil
}

func begin(ctx context.Context, stop context.CancelFunc) error {
	slow := time.AfterFunc(startLimit, stop)
	defer slow.Stop()
	return chromedp.Do(ctx)
}

// notStarted says why a browser gave up, and what allows its sandbox if that is why.
func notStarted(path string, err error, o PoolOptions) error {
	forbidden := errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EUSERS)
	named := strings.Contains(strings.ToLower(err.Error()), "sandbox")
	err = fmt.Errorf("browser %s did not start: %w", path, tail(err))
	if !o.NoSandbox && (forbidden || named) {
		return results.Blind(results.CauseBrowser, fmt.Errorf("%w; %s", err, allowSandbox))
	}
	return err
}

const allowSandbox = "Chromium's sandbox needs user namespaces: allow them " +
	"(sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000 kernel.apparmor_restrict_unprivileged_userns=0, " +
	"or a container with --security-opt seccomp=unconfined), " +
	"or do without, if all pages are your own: browser: {no_sandbox: true}"

// commandLine is the browser's. Nothing of it may reach out to anyone but the service:
// no updates, no reports, no accounts, no lists, no proxy unless asked for. The
// environment is not passed on: it may hold secrets.
func commandLine(path, dir string, o PoolOptions) []chromedp.ExecAllocatorOption {
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
			"InterestFeedContentSuggestions,CertificateTransparencyComponentUpdater,PaintHolding",
		// A run's profile ends with it: no page is kept to go back to.
		"disable-back-forward-cache": "",
	}
	if smallShm() {
		flags["disable-dev-shm-usage"] = ""
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
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.ModifyCmdFunc(o.Author.prepare(tie(!o.NoSandbox))),
		chromedp.Flag("no-sandbox", o.NoSandbox), // said in either case: chromedp would add it of root
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
