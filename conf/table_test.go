package conf

import (
	"testing"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// TestTableAgreesWithNginx compares contexts and numbers of arguments with crossplane's table, which is taken from
// nginx's sources.
func TestTableAgreesWithNginx(t *testing.T) {
	const arity = 0xFFFF
	// Contexts we have not yet: if in server, if in location; or that concern other modules.
	const compared = InMain | InEvents | inHTTPAny | InUpstream | InLimitExcept
	for _, m := range Modules() {
		for _, r := range m.Rows {
			masks, ok := crossplane.MatchOssLatest(r.Name)
			if !ok { // a directive of NGINX Plus
				masks, ok = crossplane.MatchNginxPlusLatest(r.Name)
			}
			if !ok {
				t.Errorf("%s: nginx has it not", r.Name)
				continue
			}
			if r.Name == "include" {
				continue
			}
			found := false
			for _, mask := range masks {
				in := Context(mask) & compared
				if in == r.In && Arity(mask)&arity == r.Args {
					found = true
				}
			}
			if !found {
				t.Errorf("%s: %v, arity %#x; nginx has %#x", r.Name, r.In, r.Args, masks)
			}
		}
	}
}

func TestTableIsSound(t *testing.T) {
	for _, m := range Modules() {
		for _, r := range m.Rows {
			switch {
			case r.Doc == "" || r.Doc[len(r.Doc)-1] != '.':
				t.Errorf("%s: no sentence about it", r.Name)
			case r.Syntax == "" && r.Args != NoArgs:
				t.Errorf("%s: no syntax", r.Name)
			case r.set == nil && r.Args&Block == 0 && r.Name != "include":
				t.Errorf("%s: does nothing", r.Name)
			case r.NoEffect && r.Default != "":
				t.Errorf("%s: a default without effect", r.Name)
			}
		}
	}
}
