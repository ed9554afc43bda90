package http1_test

import (
	"testing"

	"seawall/upstream/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }
