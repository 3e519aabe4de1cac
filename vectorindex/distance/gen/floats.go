package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lanes is the number of elements that one step of a kernel takes.
func lanes(wide bool) int {
	if wide {
		return 16
	}
	return 8
}

func vec(wide bool) reg.VecVirtual {
	if wide {
		return ZMM()
	}
	return YMM()
}

// sums is one set of accumulators: one register, three for cosineParts.
type sums []reg.VecVirtual

func newSums(op string, wide bool) sums {
	n := 1
	if op == "cosineParts" {
		n = 3
	}
	s := make(sums, n)
	for i := range s {
		s[i] = vec(wide)
		zero(s[i], wide)
	}
	return s
}

func zero(r reg.VecVirtual, wide bool) {
	if wide {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// add accumulates one step.
func (s sums) add(op string, x, y, sign reg.Register, wide bool) {
	switch op {
	case "dot":
		VFMADD231PS(x, y, s[0])
	case "cosineParts":
		VFMADD231PS(x, y, s[0])
		VFMADD231PS(x, x, s[1])
		VFMADD231PS(y, y, s[2])
	case "l2Squared":
		VSUBPS(y, x, x)
		VFMADD231PS(x, x, s[0])
	case "l1":
		VSUBPS(y, x, x)
		if wide {
			VPANDD(sign, x, x)
		} else {
			VANDPS(sign, x, x)
		}
		VADDPS(x, s[0], s[0])
	}
}

// floatKernel is func(a, b *T, n int) of float32 or binary16.
func floatKernel(op string, half, wide bool) {
	elem, size := "float32", 4
	if half {
		elem, size = "uint16", 2
	}
	result := " float32"
	if op == "cosineParts" {
		result = " (dot, aa, bb float32)"
	}
	start(kernelName(op, half, wide), "func(a, b *"+elem+", n int)"+result)
	a, b, n := Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("n"), GP64())
	unroll := 4
	if op == "cosineParts" {
		unroll = 2
	}
	acc := make([]sums, unroll)
	for i := range acc {
		acc[i] = newSums(op, wide)
	}
	sign := signMask(op, wide)
	step := lanes(wide)
	loop(n, step*unroll, "blocks", func() {
		for i := range acc {
			x, y := vec(wide), vec(wide)
			loadFloats(x, Mem{Base: a, Disp: i * step * size}, half)
			loadFloats(y, Mem{Base: b, Disp: i * step * size}, half)
			acc[i].add(op, x, y, sign, wide)
		}
		advance(step*unroll*size, a, b)
	})
	loop(n, step, "steps", func() {
		x, y := vec(wide), vec(wide)
		loadFloats(x, Mem{Base: a}, half)
		loadFloats(y, Mem{Base: b}, half)
		acc[0].add(op, x, y, sign, wide)
		advance(step*size, a, b)
	})
	if wide {
		maskedRest(op, acc[0], sign, a, b, n, half)
	} else {
		scalarRest(op, acc[0], sign, a, b, n, half, size)
	}
	for i := range acc[0] {
		reduce(acc, i, wide, i)
	}
	RET()
}

func advance(bytes int, pointers ...reg.Register) {
	for _, p := range pointers {
		ADDQ(I32(bytes), p)
	}
}

// loop runs body while n is at least step, taking step off n.
func loop(n reg.Register, step int, name string, body func()) {
	JMP(LabelRef(name + "_test"))
	Label(name)
	body()
	SUBQ(I32(step), n)
	Label(name + "_test")
	CMPQ(n, I32(step))
	JGE(LabelRef(name))
}

// signMask is all bits but the sign, for l1.
func signMask(op string, wide bool) reg.Register {
	if op != "l1" {
		return nil
	}
	r := GP32()
	MOVL(U32(0x7fffffff), r)
	m := vec(wide)
	if wide {
		VPBROADCASTD(r, m)
		return m
	}
	x := m.AsX()
	VMOVD(r, x)
	VPBROADCASTD(x, m)
	return m
}

func loadFloats(r reg.Register, m Mem, half bool) {
	if half {
		VCVTPH2PS(m, r)
	} else {
		VMOVUPS(m, r)
	}
}

// maskedRest takes the last n < 16 elements in one masked step.
func maskedRest(op string, acc sums, sign, a, b, n reg.Register, half bool) {
	TESTQ(n, n)
	JZ(LabelRef("reduce"))
	bits, mask := GP32(), K()
	MOVL(U32(0xffffffff), bits)
	BZHIL(n.(reg.GPVirtual).As32(), bits, bits)
	KMOVW(bits, mask)
	x, y := ZMM(), ZMM()
	for _, l := range []struct {
		to   reg.VecVirtual
		from reg.Register
	}{{x, a}, {y, b}} {
		if half {
			VMOVDQU16_Z(Mem{Base: l.from}, mask, l.to.AsY())
			VCVTPH2PS(l.to.AsY(), l.to)
		} else {
			VMOVUPS_Z(Mem{Base: l.from}, mask, l.to)
		}
	}
	acc.add(op, x, y, sign, true)
	Label("reduce")
}

// scalarRest takes the last n < 8 elements one by one: a load of one element
// leaves the other lanes zero, and zeros add nothing.
func scalarRest(op string, acc sums, sign, a, b, n reg.Register, half bool, size int) {
	loop(n, 1, "rest", func() {
		x, y := YMM(), YMM()
		loadOne(x, a, half)
		loadOne(y, b, half)
		acc.add(op, x, y, sign, false)
		advance(size, a, b)
	})
}

func loadOne(r reg.VecVirtual, p reg.Register, half bool) {
	if !half {
		VMOVSS(Mem{Base: p}, r.AsX())
		return
	}
	w := GP32()
	MOVWLZX(Mem{Base: p}, w)
	VMOVD(w, r.AsX())
	VCVTPH2PS(r.AsX(), r)
}

// reduce adds the i-th accumulators of all sets and stores the sum as a result.
func reduce(acc []sums, i int, wide bool, result int) {
	for n := len(acc); n > 1; n /= 2 {
		for j := range n / 2 {
			VADDPS(acc[j+n/2][i], acc[j][i], acc[j][i])
		}
	}
	sum := acc[0][i]
	if wide {
		high := YMM()
		VEXTRACTF64X4(Imm(1), sum, high)
		VADDPS(high, sum.AsY(), sum.AsY())
	}
	high := XMM()
	VEXTRACTF128(Imm(1), sum.AsY(), high)
	x := sum.AsX()
	VADDPS(high, x, x)
	VHADDPS(x, x, x)
	VHADDPS(x, x, x)
	Store(x, ReturnIndex(result))
}
