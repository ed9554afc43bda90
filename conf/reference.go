package conf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Reference gives the text of docs/directives.md, made from the table.
func Reference() []byte {
	var b strings.Builder
	b.WriteString(`# Directives

<!-- Made from the table in conf by "go run ./conf/gendocs"; do not edit. -->

What Seawall knows of nginx's configuration language. A directive behaves as
[nginx.org](https://nginx.org/en/docs/dirindex.html) documents it for the current version; one that is not here is an
error with file and line, never skipped. Times may be given in milliseconds everywhere (` + "`100ms`" + `).

*No effect* marks what is accepted, and checked, so that a file can be shared with nginx, but has nothing to tune here:
` + "`seawall -t`" + ` says so. *Extended* marks what has more than nginx's meaning.
`)
	for _, m := range Modules() {
		rows := slices.Clone(m.Rows)
		slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.Name, b.Name) })
		fmt.Fprintf(&b, "\n## %s\n", m.Name)
		for _, r := range rows {
			fmt.Fprintf(&b, "\n### %s\n\n", r.Name)
			fmt.Fprintf(&b, "- Syntax: `%s`\n", strings.TrimSpace(r.Name+" "+r.Syntax))
			if r.Default != "" {
				fmt.Fprintf(&b, "- Default: `%s %s`\n", r.Name, r.Default)
			}
			fmt.Fprintf(&b, "- Context: %s\n", r.In)
			switch {
			case r.NoEffect:
				b.WriteString("- *No effect*\n")
			case r.NotYet:
				b.WriteString("- *Not acted on yet*\n")
			case r.Ours:
				b.WriteString("- *Extended*\n")
			}
			fmt.Fprintf(&b, "\n%s\n", strings.ReplaceAll(r.Doc, "~", `\~`))
		}
	}
	return []byte(b.String())
}

// String lists the contexts as the reference does.
func (c Context) String() string {
	if c&inAnywhere == inAnywhere {
		return "any"
	}
	var names []string
	for _, n := range []named[Context]{
		{"main", InMain}, {"events", InEvents}, {"http", InHTTP}, {"server", InServer}, {"location", InLocation},
		{"limit_except", InLimitExcept}, {"upstream", InUpstream},
	} {
		if c&n.value != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ", ")
}
