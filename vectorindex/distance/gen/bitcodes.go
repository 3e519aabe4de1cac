package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// bitSumsKernel holds four sums, one a plane, of each code's counts, and shifts
// them together at the end. The last bytes of a code are read under a mask.
func bitSumsKernel() {
	start("bitSumsAVX512", "func(planes, codes *byte, width int, out *uint32, n int)")
	planes, codes, width := Load(Param("planes"), GP64()), Load(Param("codes"), GP64()), Load(Param("width"), GP64())
	out, n := Load(Param("out"), GP64()), Load(Param("n"), GP64())
	plane := []reg.Register{planes, GP64(), GP64(), GP64()}
	for j := 1; j < 4; j++ {
		MOVQ(plane[j-1], plane[j])
		ADDQ(width, plane[j])
	}
	whole, rest := GP64(), GP64()
	MOVQ(width, whole)
	ANDQ(I8(-64), whole)
	MOVQ(width, rest)
	ANDQ(I8(63), rest)
	mask := byteMask(rest)
	at := GP64()
	sums := []reg.VecVirtual{ZMM(), ZMM(), ZMM(), ZMM()}
	add := func(c reg.VecVirtual, load func(m Mem, x reg.VecVirtual)) {
		for j := range plane {
			x := ZMM()
			load(Mem{Base: plane[j], Index: at, Scale: 1}, x)
			VPANDQ(x, c, x)
			VPOPCNTQ(x, x)
			VPADDQ(x, sums[j], sums[j])
		}
	}
	Label("code")
	for _, s := range sums {
		VPXORD(s, s, s)
	}
	XORQ(at, at)
	CMPQ(at, whole)
	JGE(LabelRef("tail"))
	Label("line")
	c := ZMM()
	VMOVDQU64(Mem{Base: codes, Index: at, Scale: 1}, c)
	add(c, func(m Mem, x reg.VecVirtual) { VMOVDQU64(m, x) })
	ADDQ(Imm(64), at)
	CMPQ(at, whole)
	JL(LabelRef("line"))
	Label("tail")
	TESTQ(rest, rest)
	JZ(LabelRef("reduce"))
	d := ZMM()
	VMOVDQU8_Z(Mem{Base: codes, Index: at, Scale: 1}, mask, d)
	add(d, func(m Mem, x reg.VecVirtual) { VMOVDQU8_Z(m, mask, x) })
	Label("reduce")
	for j := 3; j > 0; j-- { // ((s3 * 2 + s2) * 2 + s1) * 2 + s0
		VPSLLQ(Imm(1), sums[j], sums[j])
		VPADDQ(sums[j], sums[j-1], sums[j-1])
	}
	MOVL(reduceLongs(sums[0], true), Mem{Base: out})
	advance(4, out)
	ADDQ(width, codes)
	DECQ(n)
	JNZ(LabelRef("code"))
	RET()
}

// nibbleMask fills a register with bytes of 15.
func nibbleMask(mask reg.VecVirtual, wide bool) {
	fifteen := GP32()
	MOVL(U32(0x0f0f0f0f), fifteen)
	if wide {
		VPBROADCASTD(fifteen, mask)
		return
	}
	x := XMM()
	VMOVD(fifteen, x)
	VPBROADCASTD(x, mask)
}

func dotNibblesVNNI() {
	start("dotNibblesAVX512", "func(code *byte, query *int8, blocks int) int32")
	code, query, blocks := Load(Param("code"), GP64()), Load(Param("query"), GP64()), Load(Param("blocks"), GP64())
	sum, mask := zeroWide(), ZMM()
	nibbleMask(mask, true)
	loop(blocks, 1, "blocks", func() {
		low, high := ZMM(), YMM()
		VMOVDQU(Mem{Base: code}, low.AsY())
		VPSRLW(Imm(4), low.AsY(), high)
		VINSERTI64X4(Imm(1), high, low, low)
		VPANDQ(mask, low, low)
		q := ZMM()
		VMOVDQU64(Mem{Base: query}, q)
		vpdpbusd(q, low, sum)
		advance(32, code)
		advance(64, query)
	})
	Store(reduceLongs(sum, true), ReturnIndex(0))
	RET()
}

// dotNibblesWide: products of 15 and 127, two by two, fit in 16 bits.
func dotNibblesWide() {
	start("dotNibblesAVX2", "func(code *byte, query *int8, blocks int) int32")
	code, query, blocks := Load(Param("code"), GP64()), Load(Param("query"), GP64()), Load(Param("blocks"), GP64())
	sum, mask, ones := YMM(), YMM(), YMM()
	VPXOR(sum, sum, sum)
	nibbleMask(mask, false)
	VPCMPEQW(ones, ones, ones)
	VPSRLW(Imm(15), ones, ones)
	loop(blocks, 1, "blocks", func() {
		low, high := YMM(), YMM()
		VMOVDQU(Mem{Base: code}, low)
		VPSRLW(Imm(4), low, high)
		VPAND(mask, low, low)
		VPAND(mask, high, high)
		VPMADDUBSW(Mem{Base: query}, low, low)
		VPMADDUBSW(Mem{Base: query, Disp: 32}, high, high)
		VPADDW(high, low, low)
		VPMADDWD(ones, low, low)
		VPADDD(low, sum, sum)
		advance(32, code)
		advance(64, query)
	})
	Store(reduceLongs(sum, false), ReturnIndex(0))
	RET()
}

// bitPlanesKernel makes sixteen elements into two bytes of each plane.
func bitPlanesKernel() {
	start("bitPlanesAVX512", "func(v *float32, n int, low, inverse float32, planes *byte, width int)")
	v, n := Load(Param("v"), GP64()), Load(Param("n"), GP64())
	low, inverse := ZMM(), ZMM()
	l, _ := Param("low").Resolve()
	VBROADCASTSS(l.Addr, low)
	i, _ := Param("inverse").Resolve()
	VBROADCASTSS(i.Addr, inverse)
	planes, width := Load(Param("planes"), GP64()), Load(Param("width"), GP64())
	plane := []reg.Register{planes, GP64(), GP64(), GP64()}
	for j := 1; j < 4; j++ {
		MOVQ(plane[j-1], plane[j])
		ADDQ(width, plane[j])
	}
	bit := make([]reg.VecVirtual, 4)
	for j := range bit {
		bit[j] = ZMM()
		r := GP32()
		MOVL(U32(1<<j), r)
		VPBROADCASTD(r, bit[j])
	}
	half, fifteen, zeros := ZMM(), ZMM(), zeroWide()
	r := GP32()
	MOVL(U32(0x3f000000), r)
	VPBROADCASTD(r, half)
	MOVL(U32(15), r)
	VPBROADCASTD(r, fifteen)
	loop(n, 1, "sixteen", func() {
		x := ZMM()
		VMOVUPS(Mem{Base: v}, x)
		VSUBPS(low, x, x)
		VMULPS(inverse, x, x)
		VADDPS(half, x, x)
		VCVTTPS2DQ(x, x)
		VPMAXSD(zeros, x, x)
		VPMINSD(fifteen, x, x)
		for j := range bit {
			k, g := K(), GP32()
			VPTESTMD(bit[j], x, k)
			KMOVW(k, g)
			MOVW(g.As16(), Mem{Base: plane[j]})
		}
		advance(64, v)
		advance(2, plane...)
	})
	RET()
}
