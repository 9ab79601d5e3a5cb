package scenarios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

const (
	// drain is how long the output of a command is read after its end, for what it left
	// behind with the output open.
	drain = time.Second
	// mostSaid is how much of a command's output its error shows, in bytes.
	mostSaid = 1000
)

// execStep runs a command: a list of arguments, or a mapping with a timeout beside it.
type execStep struct {
	Args    []string      `yaml:"args"`
	Timeout time.Duration `yaml:"timeout"`

	dir string
}

// UnmarshalNode implements [kind.Unmarshaler].
func (e *execStep) UnmarshalNode(n kind.Node) error {
	switch n.Shape {
	case kind.List:
		return n.Decode(&e.Args)
	case kind.Mapping:
	case kind.Scalar, kind.Null:
		return fmt.Errorf(`got %s, want a list of arguments, such as ["./reset.sh", "--all"], or {args, timeout}`, n.Shape)
	}
	type plain execStep
	return n.Decode((*plain)(e))
}

// NodeSchema implements [kind.Describer].
func (e *execStep) NodeSchema(g *kind.Schemas) *kind.Schema {
	return kind.Either(g.Of(e.Args), g.Fields(*e, nil))
}

func execStepKind(dir string) kind.Kind[step] {
	return kind.Of("exec", "runs a command in the directory of the file", `
["./reset.sh", "--all"]
`, execStep{Timeout: stepLimit, dir: dir}, func(e execStep) (step, error) {
		switch {
		case len(e.Args) == 0 || e.Args[0] == "":
			return nil, errors.New(`got no command, want its arguments, such as ["./reset.sh", "--all"]`)
		case e.Timeout == 0:
			return nil, kind.At("timeout", errors.New("got 0s, want how long the command may take, such as 10s"))
		}
		return &e, nil
	})
}

func (e *execStep) limit() time.Duration { return e.Timeout }

// do runs the command in a process group of its own, so that nothing of it outlives
// its time.
func (e *execStep) do(ctx context.Context, secrets *kind.Secrets, _ map[string]string) error {
	cmd := exec.CommandContext(ctx, e.Args[0], e.Args[1:]...) //nolint:gosec // running it is what the user asks for
	cmd.Dir = e.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = drain
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) { // it ended well, and left something behind
		return nil
	}
	said := secrets.Mask(strings.TrimSpace(out.String()))
	if len(said) > mostSaid {
		said = "... " + strings.ToValidUTF8(said[len(said)-mostSaid:], "")
	}
	if said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}
