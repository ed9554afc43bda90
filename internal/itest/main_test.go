package itest

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets more tests run at once than there are cores: most of their time is waiting for expiries and timeouts.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	code := m.Run()
	removeBuilt()
	os.Exit(code)
}
