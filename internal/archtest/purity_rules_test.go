//go:build !race

package archtest

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// pureImports are the packages of the standard library, and those of the core,
// whose functions depend on their arguments alone, apart from what unclean names.
var pureImports = set(
	"bytes", "cmp", "crypto/hmac", "crypto/sha256", "encoding/binary", "encoding/hex", "encoding/json", "errors", "fmt", "io",
	"iter", "math", "math/bits", "reflect", "slices", "strconv", "strings", "time", "unicode", "unicode/utf8",
	"ibrecorder/events", "ibrecorder/fsm",
)

// unclean are the exceptions in packages that the core may import.
var unclean = set(
	"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc", "time.Tick", "time.NewTimer", "time.NewTicker",
	"time.LoadLocation", "time.Local", "(time.Time).Local", // of the machine
	"fmt.Print", "fmt.Printf", "fmt.Println", "fmt.Scan", "fmt.Scanf", "fmt.Scanln",
	"(reflect.Value).MapKeys", "(reflect.Value).MapRange", "(reflect.Value).Seq", "(reflect.Value).Seq2", // in no order
	"context.WithTimeout", "context.WithDeadline", "context.WithTimeoutCause", "context.WithDeadlineCause", "context.AfterFunc",
)

func set(names ...string) map[string]bool {
	s := map[string]bool{}
	for _, n := range names {
		s[n] = true
	}
	return s
}

// impurity is one place where a package is not pure.
type impurity struct {
	at   token.Position
	what string
}

// purity looks through one package.
type purity struct {
	pkg   *types.Package
	info  *types.Info
	files *token.FileSet
	in    string // the declaration that is looked through
	found []impurity
}

func (c *purity) report(n ast.Node, what string) {
	c.found = append(c.found, impurity{c.files.Position(n.Pos()), what})
}

func (c *purity) file(f *ast.File) {
	for _, i := range f.Imports {
		if path, err := strconv.Unquote(i.Path.Value); err != nil || !pureImports[path] {
			c.report(i, "imports "+path)
		}
	}
	for _, group := range f.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "//go:linkname") {
				c.report(comment, "has a //go:linkname")
			}
		}
	}
	for _, d := range f.Decls {
		c.in = "a declaration"
		if fn, ok := d.(*ast.FuncDecl); ok {
			c.in = fn.Name.Name
		}
		ast.Inspect(d, c.node)
	}
}

// node reports what a node is, for ast.Inspect.
func (c *purity) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Ident:
		c.use(n)
	case *ast.GoStmt:
		c.report(n, c.in+" starts a goroutine")
	case *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
		c.report(n, c.in+" has to do with channels")
	case *ast.RangeStmt:
		c.loop(n)
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			for _, to := range n.Lhs {
				c.write(to)
			}
		}
	case *ast.IncDecStmt:
		c.write(n.X)
	case *ast.UnaryExpr:
		switch n.Op {
		case token.ARROW:
			c.report(n, c.in+" has to do with channels")
		case token.AND:
			c.write(n.X)
		}
	case *ast.CallExpr:
		c.call(n)
	case *ast.SelectorExpr:
		c.method(n)
	}
	return true
}

// use reports a name that stands for something unclean.
func (c *purity) use(id *ast.Ident) {
	switch obj := c.info.Uses[id].(type) {
	case *types.Func:
		if unclean[obj.Origin().FullName()] {
			c.report(id, c.in+" uses "+obj.FullName())
		}
	case *types.Var:
		if obj.Pkg() != nil && unclean[obj.Pkg().Path()+"."+obj.Name()] && obj.Parent() == obj.Pkg().Scope() {
			c.report(id, c.in+" uses "+obj.Pkg().Path()+"."+obj.Name())
		}
	case *types.Builtin:
		if obj.Name() == "print" || obj.Name() == "println" {
			c.report(id, c.in+" uses "+obj.Name())
		}
	}
}

// loop reports loops whose order the runtime chooses.
func (c *purity) loop(n *ast.RangeStmt) {
	switch over := c.info.TypeOf(n.X); {
	case isMap(over):
		c.report(n, c.in+" ranges over a map")
	case isChan(over):
		c.report(n, c.in+" has to do with channels")
	}
	if n.Tok == token.ASSIGN {
		c.write(n.Key)
		if n.Value != nil {
			c.write(n.Value)
		}
	}
}

func isMap(t types.Type) bool {
	if p, ok := t.(*types.TypeParam); ok {
		return anyTerm(p, isMap)
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

func isChan(t types.Type) bool {
	if p, ok := t.(*types.TypeParam); ok {
		return anyTerm(p, isChan)
	}
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// anyTerm asks about the types that a type parameter may stand for.
func anyTerm(p *types.TypeParam, is func(types.Type) bool) bool {
	constraint := p.Constraint().Underlying().(*types.Interface)
	for i := range constraint.NumEmbeddeds() {
		switch e := constraint.EmbeddedType(i).(type) {
		case *types.Union:
			for j := range e.Len() {
				if is(e.Term(j).Type()) {
					return true
				}
			}
		default:
			if is(e) {
				return true
			}
		}
	}
	return false
}

// write reports a change of a variable of a package.
func (c *purity) write(x ast.Expr) {
	if v := c.global(x); v != nil {
		c.report(x, c.in+" may change the variable "+v.Name())
	}
}

// call reports the builtins that change their first argument.
func (c *purity) call(n *ast.CallExpr) {
	id, ok := ast.Unparen(n.Fun).(*ast.Ident)
	if !ok || len(n.Args) == 0 {
		return
	}
	if b, ok := c.info.Uses[id].(*types.Builtin); ok && (b.Name() == "delete" || b.Name() == "clear" || b.Name() == "copy") {
		c.write(n.Args[0])
	}
}

// method reports a method that takes the address of a variable, or has it already,
// and so may change it.
func (c *purity) method(n *ast.SelectorExpr) {
	s := c.info.Selections[n]
	if s == nil || s.Kind() != types.MethodVal {
		return
	}
	recv := s.Obj().(*types.Func).Signature().Recv()
	if _, pointer := recv.Type().(*types.Pointer); pointer {
		c.write(n.X)
	}
}

// global returns the variable of a package that x is, or is a part of.
func (c *purity) global(x ast.Expr) *types.Var {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		if v, ok := c.info.Uses[x].(*types.Var); ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
			return v
		}
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok {
			if _, qualified := c.info.Uses[id].(*types.PkgName); qualified {
				return c.global(x.Sel)
			}
		}
		return c.global(x.X)
	case *ast.IndexExpr:
		return c.global(x.X)
	case *ast.SliceExpr:
		return c.global(x.X)
	case *ast.StarExpr:
		return c.global(x.X)
	}
	return nil
}

// impure are the sources that show what purity finds; imports are added.
var impure = []struct {
	name, text string
	want       []string
}{
	{"a function of its arguments", `func F(a, b []string) string { return strings.Join(append(a, b...), " ") }`, nil},
	{"a time that was given", `func F(t time.Time) time.Time { return t.UTC().Add(time.Second) }`, nil},
	{"errors that are only compared", `var ErrX = errors.New("x"); func F(err error) bool { return errors.Is(err, ErrX) }`, nil},
	{"a table that is only read", `var t = map[string][]int{"a": {1}}; func F(s string) int { x := t[s]; return x[0] }`, nil},
	{"a variable of the function", `func F() int { x := map[int]int{}; x[1] = 2; delete(x, 1); p := &x; return len(*p) }`, nil},

	{"the clock", `func F() time.Time { return time.Now() }`, []string{"F uses time.Now"}},
	{"the clock as a value", `var now = time.Now`, []string{"a declaration uses time.Now"}},
	{"the clock behind a method", `type T struct{}; func (T) F(t time.Time) any { return time.Since(t) }`, []string{"F uses time.Since"}},
	{"a timer", `func F() { <-time.After(1) }`, []string{"F has to do with channels", "F uses time.After"}},
	{"the time zone of the machine", `func F(t time.Time) (time.Time, time.Time) { return t.Local(), t.In(time.Local) }`,
		[]string{"F uses (time.Time).Local", "F uses time.Local"}},
	{"a deadline", `func F() { context.WithTimeout(context.Background(), 1) }`, []string{"F uses context.WithTimeout", "imports context"}},
	{"randomness", `func F() int { return rand.Int() }`, []string{"imports math/rand/v2"}},
	{"the environment", `func F() string { return os.Getenv("X") }`, []string{"imports os"}},
	{"the network", `func F() { net.Dial("tcp", "x") }`, []string{"imports net"}},
	{"logging", `func F() { slog.Info("x") }`, []string{"imports log/slog"}},
	{"printing", `func F() { fmt.Println("x") }`, []string{"F uses fmt.Println"}},
	{"printing without a package", `func F() { println("x") }`, []string{"F uses println"}},
	{"memory", "import \"unsafe\"\nfunc F(p *int) uintptr { return uintptr(unsafe.Pointer(p)) }", []string{"imports unsafe"}},
	{"a name taken from elsewhere", "//go:linkname f runtime.nanotime\nfunc f() int64 { return 0 }", []string{"has a //go:linkname"}},
	{"a goroutine", `func F(f func()) { go f() }`, []string{"F starts a goroutine"}},
	{"a channel", `func F(c chan<- int) { c <- 1 }`, []string{"F has to do with channels"}},
	{"a channel that is ranged over", `type c chan int; func F(x c) { for range x {} }`, []string{"F has to do with channels", "a declaration has to do with channels"}},
	{"a lock", `var mu sync.Mutex; func F() { mu.Lock() }`, []string{"F may change the variable mu", "imports sync"}},

	{"the order of a map", `func F(m map[string]int) (s []string) { for k := range m { s = append(s, k) }; return s }`, []string{"F ranges over a map"}},
	{"the order of a named map", `type M map[string]int; func F(m M) (n int) { for _, v := range m { n = v }; return n }`, []string{"F ranges over a map"}},
	{"the order of any map", `func F[M ~map[K]int, K comparable](m M) (n int) { for _, v := range m { n = v }; return n }`, []string{"F ranges over a map"}},
	{"the order of a map from a library", `func F(m map[string]int) []string { return slices.Collect(maps.Keys(m)) }`, []string{"imports maps"}},
	{"the order of a map by reflection", `func F(m any) any { return reflect.ValueOf(m).MapKeys() }`, []string{"F uses (reflect.Value).MapKeys"}},

	{"a counter of the package", `var n int; func F() int { n++; return n }`, []string{"F may change the variable n"}},
	{"a variable that is set", `var n int; func F(x int) { n = x }`, []string{"F may change the variable n"}},
	{"a cache", `var seen = map[string]bool{}; func F(s string) bool { defer func() { seen[s] = true }(); return seen[s] }`,
		[]string{"F may change the variable seen"}},
	{"an entry that is removed", `var seen = map[string]bool{}; func F(s string) { delete(seen, s) }`, []string{"F may change the variable seen"}},
	{"a field of a variable", `var x struct{ n []int }; func F() { x.n[0] += 1 }`, []string{"F may change the variable x"}},
	{"the address of a variable", `var x int; func F() *int { return &x }`, []string{"F may change the variable x"}},
	{"a method that changes a variable", `var b strings.Builder; func F() { b.WriteString("x") }`, []string{"F may change the variable b"}},
	{"a variable that a loop sets", `var i int; func F() { for i = range 3 {} }`, []string{"F may change the variable i"}},
	{"a variable that is set at the start", `var n int; func init() { n = 1 }`, []string{"init may change the variable n"}},
	{"a variable of another package", `func F() { time.UTC = nil }`, []string{"F may change the variable UTC"}},
}
