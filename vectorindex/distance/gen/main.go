// Command gen writes the amd64 kernels of package distance.
package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build" // the generator's language
)

func main() {
	ConstraintExpr("amd64")
	for _, wide := range []bool{true, false} {
		for _, half := range []bool{false, true} {
			for _, op := range []string{"l2Squared", "dot", "l1", "cosineParts"} {
				floatKernel(op, half, wide)
			}
		}
	}
	hammingKernel()
	jaccardKernel()
	dotCodesVNNI()
	dotCodesAVX2()
	dotCodesManyVNNI()
	dotCodesManyAVX2()
	bitSumsKernel()
	dotNibblesVNNI()
	dotNibblesWide()
	bitPlanesKernel()
	prefetchLines()
	Generate()
}

// level is the end of a kernel's name.
func level(wide bool) string {
	if wide {
		return "AVX512"
	}
	return "AVX2"
}

func start(name, signature string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
}

func kernelName(op string, half, wide bool) string {
	if half {
		op = "half" + strings.ToUpper(op[:1]) + op[1:]
	}
	return op + level(wide)
}
