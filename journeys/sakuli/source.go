package sakuli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/grafana/sobek"
	"github.com/grafana/sobek/ast"
	"github.com/grafana/sobek/file"
	"github.com/grafana/sobek/parser"
	"github.com/grafana/sobek/unistring"

	"github.com/foreshock/foreshock/internal/kind"
)

// sourceLimit is how large a file of a suite may be, in bytes.
const sourceLimit = 4 << 20

// A source is a file of JavaScript.
type source struct {
	name     string // its path in the suite
	tree     *ast.Program
	program  *sobek.Program
	waits    bool // it is written with promises, as version 2 asks for
	steps    []plannedStep
	declared map[string]bool
	used     []use
	includes []string
}

// A plannedStep is a step that the source names in so many words.
type plannedStep struct {
	name string
	place
	warning, critical time.Duration
}

// A place is a line of a file of the suite.
type place struct {
	file string
	line int
}

// A use is a place where a name is used.
type use struct {
	name string
	at   file.Position
}

// A loader reads a case with what it includes.
type loader struct {
	root   *os.Root
	loaded map[string]*source
}

// load reads a file of the suite, and those that it includes.
func (l *loader) load(name string) (*source, error) {
	if s, ok := l.loaded[name]; ok {
		return s, nil
	}
	shown := filepath.Join(l.root.Name(), name)
	if ext := path.Ext(name); ext != ".js" {
		return nil, fmt.Errorf("%s: got a file of %s, want JavaScript; of TypeScript, what its compiler makes of it", shown, ext)
	}
	text, err := readIn(l.root, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown, err)
	}
	s := &source{name: name, declared: map[string]bool{}}
	if err := s.parse(string(text)); err != nil {
		return nil, placed(shown, err)
	}
	if lazy := lazyWaits(s.tree, string(text)); !s.waits && lazy != string(text) {
		*s = source{name: name, declared: map[string]bool{}}
		if err := s.parse(lazy); err != nil {
			return nil, placed(shown, err)
		}
	}
	if s.program, err = sobek.CompileAST(s.tree, false); err != nil {
		return nil, placed(shown, err)
	}
	l.loaded[name] = s
	for _, other := range s.includes {
		if _, err := l.load(other); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readIn reads a file of the suite; links that lead out of it are not followed.
func readIn(root *os.Root, name string) ([]byte, error) {
	if !filepath.IsLocal(name) {
		return nil, errOutside
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, sourceLimit+1))
	if err == nil && len(text) > sourceLimit {
		err = fmt.Errorf("got more than %d bytes, want a smaller file", sourceLimit)
	}
	return text, err
}

// placed gives an error of the parser the form of all others.
func placed(file string, err error) error {
	var list parser.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		msg := list[0].Message
		if strings.Contains(msg, "import") || strings.Contains(msg, "export") {
			msg += "; modules are not read here: take the import out, what Sakuli gives is there without it"
		}
		return &kind.Error{File: file, Line: list[0].Position.Line, Col: list[0].Position.Column, Msg: msg}
	}
	var compiler *sobek.CompilerSyntaxError
	if errors.As(err, &compiler) && compiler.File != nil {
		at := compiler.File.Position(compiler.Offset)
		return &kind.Error{File: file, Line: at.Line, Col: at.Column, Msg: compiler.Message}
	}
	return fmt.Errorf("%s: %w", file, err)
}

// module is the file as a function that takes what a module of Node finds around it.
// Its places are those of the file.
func (s *source) module() (*sobek.Program, error) {
	params := &ast.ParameterList{}
	for _, name := range []unistring.String{"module", "exports", "require", "__filename", "__dirname"} {
		params.List = append(params.List, &ast.Binding{Target: &ast.Identifier{Name: name}})
	}
	f := &ast.FunctionLiteral{
		ParameterList: params, Body: &ast.BlockStatement{List: s.tree.Body}, DeclarationList: s.tree.DeclarationList,
	}
	return sobek.CompileAST(&ast.Program{Body: []ast.Statement{&ast.ExpressionStatement{Expression: f}}, File: s.tree.File}, false)
}

// parse reads the text and learns what load and run need to know of it.
func (s *source) parse(text string) (err error) {
	// A source map would be read from wherever the text says.
	s.tree, err = parser.ParseFile(nil, s.name, text, 0, parser.WithDisableSourceMaps)
	if err != nil {
		return err
	}
	s.program = nil
	for _, statement := range s.tree.Body {
		walk(statement, s.visit)
	}
	return nil
}

func (s *source) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.DotExpression:
		s.waits = s.waits || n.Identifier.Name == "then"
		walk(n.Left, s.visit)
		return false
	case *ast.PropertyKeyed:
		if n.Computed {
			walk(n.Key, s.visit)
		}
		walk(n.Value, s.visit)
		return false
	case *ast.MethodDefinition:
		walk(n.Body, s.visit)
		return false
	case *ast.AwaitExpression:
		s.waits = true
	case *ast.CallExpression:
		s.call(n)
	default:
		s.declare(n)
	}
	return true
}

// declare notes the names that n makes, and those that it uses.
func (s *source) declare(n ast.Node) {
	switch n := n.(type) {
	case *ast.FunctionLiteral:
		s.waits = s.waits || n.Async
		s.declareName(n.Name)
	case *ast.ArrowFunctionLiteral:
		s.waits = s.waits || n.Async
	case *ast.ClassLiteral:
		s.declareName(n.Name)
	case *ast.Binding:
		s.declareAll(n.Target)
	case *ast.CatchStatement:
		s.declareAll(n.Parameter)
	case *ast.AssignExpression:
		s.declareAll(n.Left)
	case *ast.Identifier:
		s.used = append(s.used, use{n.Name.String(), s.position(n.Idx)})
	case *ast.PropertyShort:
		s.used = append(s.used, use{n.Name.Name.String(), s.position(n.Name.Idx)})
	}
}

func (s *source) declareName(n *ast.Identifier) {
	if n != nil {
		s.declared[n.Name.String()] = true
	}
}

// declareAll declares the names of a pattern.
func (s *source) declareAll(n ast.Node) {
	switch n := n.(type) {
	case *ast.Identifier:
		s.declareName(n)
	case *ast.ObjectPattern, *ast.ArrayPattern:
		walk(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Identifier:
				s.declareName(n)
			case *ast.PropertyShort:
				s.declareName(&n.Name)
			}
			return true
		})
	}
}

// call notes the steps and the files that a call names.
func (s *source) call(n *ast.CallExpression) {
	args := n.ArgumentList
	if len(args) == 0 {
		return
	}
	first, literal := args[0].(*ast.StringLiteral)
	switch callee := n.Callee.(type) {
	case *ast.DotExpression:
		if name := callee.Identifier.Name; literal && (name == "endOfStep" || name == "startStep") {
			p := plannedStep{name: first.Value.String(), place: place{s.name, s.position(n.Idx0()).Line}}
			p.warning, p.critical = literalLimits(args[1:])
			if !slices.ContainsFunc(s.steps, func(o plannedStep) bool { return o.name == p.name }) {
				s.steps = append(s.steps, p)
			}
		}
	case *ast.Identifier:
		if literal && (callee.Name == "_include" || callee.Name == "require" && isPath(first.Value.String())) {
			s.includes = append(s.includes, s.beside(first.Value.String()))
		}
	}
}

func isPath(s string) bool { return strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") }

// beside is the path in the suite of a file that this one names.
func (s *source) beside(name string) string {
	p := path.Join(path.Dir(s.name), filepath.ToSlash(name))
	if path.Ext(p) == "" {
		p += ".js"
	}
	return p
}

// literalLimits reads the thresholds of a step where they are plain numbers of seconds.
func literalLimits(args []ast.Expression) (warning, critical time.Duration) {
	if len(args) > 0 {
		warning = seconds(args[0])
	}
	if len(args) > 1 {
		critical = seconds(args[1])
	}
	return warning, critical
}

func seconds(e ast.Expression) time.Duration {
	literal, ok := e.(*ast.NumberLiteral)
	if !ok {
		return 0
	}
	switch n := literal.Value.(type) {
	case int64:
		return time.Duration(n) * time.Second
	case float64:
		return time.Duration(n * float64(time.Second))
	}
	return 0
}

func (s *source) position(i file.Idx) file.Position { return s.tree.File.Position(int(i) - 1) }

// lazyWaits makes _wait(5000, _exists(x)) ask again and again, as version 1 does: what
// it waits for becomes a function.
func lazyWaits(tree *ast.Program, text string) string {
	type span struct{ from, to int }
	var spans []span
	for _, statement := range tree.Body {
		walk(statement, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpression)
			if !ok || len(call.ArgumentList) != 2 {
				return true
			}
			name, ok := call.Callee.(*ast.Identifier)
			if !ok || name.Name != "_wait" {
				return true
			}
			switch a := call.ArgumentList[1].(type) {
			case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral, *ast.Identifier:
			default:
				spans = append(spans, span{int(a.Idx0()) - 1, int(call.RightParenthesis) - 1})
			}
			return true
		})
	}
	slices.SortFunc(spans, func(a, b span) int { return b.from - a.from })
	for _, s := range spans {
		text = text[:s.from] + "() => (" + text[s.from:s.to] + ")" + text[s.to:]
	}
	return text
}
