// Gendocs writes docs/directives.md from the table of directives. Run it in the module's root.
package main

import (
	"fmt"
	"os"

	"seawall/conf"
)

func main() {
	if err := os.WriteFile("docs/directives.md", conf.Reference(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}
