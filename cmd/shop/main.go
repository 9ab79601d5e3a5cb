// Command shop is a small staging system to practise on: a storefront with real
// pages, the catalog and the payments it depends on, and a circuit breaker before
// each of them. It must never hide a failure of its own behind a fallback, repeat a
// call, or keep anything that matters: baskets live in a cookie, charges in a counter.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const usage = `usage: shop ROLE [flags]

  shop storefront   the pages that people see
  shop catalog      what there is to sell
  shop payments     takes the money

shop ROLE -h lists the flags of a role.
`

// A role is one service of the shop: flags adds its flags to fs and returns what
// makes its handler once they are parsed.
type role struct {
	name   string
	listen string // default address
	flags  func(fs *flag.FlagSet) func(*slog.Logger) (http.Handler, error)
}

func roles() []role {
	return []role{
		{"storefront", "127.0.0.1:8080", storefrontFlags},
		{"catalog", "127.0.0.1:8081", catalogFlags},
		{"payments", "127.0.0.1:9002", paymentsFlags},
	}
}

// run is main without the process. It returns 0 when ctx has ended a service, 1 when
// the service could not be started or stopped, 2 when the command line is wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage) //nolint:errcheck // nobody left to tell
		return 2
	}
	for _, r := range roles() {
		if r.name == args[0] {
			return r.run(ctx, args[1:], stdout, stderr)
		}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage) //nolint:errcheck // as above
		return 0
	}
	fmt.Fprintf(stderr, "shop: role: got %q, want storefront, catalog or payments\n", args[0])
	return 2
}

func (r role) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("shop "+r.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	listen := fs.String("listen", r.listen, "`address` to listen on; port 0 is any free one")
	build := r.flags(fs)
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(stdout)
		fs.Usage()
		return 0
	case err == nil && fs.NArg() > 0:
		err = fmt.Errorf("got %q after the flags, want nothing", fs.Arg(0))
	}
	log := slog.New(slog.NewTextHandler(stderr, nil)).With("service", r.name)
	var handler http.Handler
	if err == nil {
		handler, err = build(log)
	}
	if err != nil {
		fmt.Fprintf(stderr, "shop %s: %v\n", r.name, err)
		return 2
	}
	if err := serve(ctx, "shop "+r.name, *listen, handler, stdout); err != nil {
		fmt.Fprintf(stderr, "shop %s: %v\n", r.name, err)
		return 1
	}
	return 0
}
