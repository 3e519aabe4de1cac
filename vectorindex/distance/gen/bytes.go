package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// byteMask makes a mask of the lowest n < 64 lanes.
func byteMask(n reg.Register) reg.Register {
	bits, mask := GP64(), K()
	MOVQ(I64(-1), bits)
	BZHIQ(n, bits, bits)
	KMOVQ(bits, mask)
	return mask
}

// eachLine runs step for each 64 bytes of a and b, the last ones masked.
func eachLine(a, b, n reg.Register, step func(x, y reg.VecVirtual)) {
	loop(n, 64, "lines", func() {
		x, y := ZMM(), ZMM()
		VMOVDQU64(Mem{Base: a}, x)
		VMOVDQU64(Mem{Base: b}, y)
		step(x, y)
		advance(64, a, b)
	})
	TESTQ(n, n)
	JZ(LabelRef("reduce"))
	mask := byteMask(n)
	x, y := ZMM(), ZMM()
	VMOVDQU8_Z(Mem{Base: a}, mask, x)
	VMOVDQU8_Z(Mem{Base: b}, mask, y)
	step(x, y)
	Label("reduce")
}

func zeroWide() reg.VecVirtual {
	r := ZMM()
	VPXORD(r, r, r)
	return r
}

func hammingKernel() {
	start("hammingAVX512", "func(a, b *byte, n int) int")
	a, b, n := Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("n"), GP64())
	sum := zeroWide()
	eachLine(a, b, n, func(x, y reg.VecVirtual) {
		VPXORQ(x, y, x)
		VPOPCNTQ(x, x)
		VPADDQ(x, sum, sum)
	})
	reduceQuads(sum, 0)
	RET()
}

func jaccardKernel() {
	start("jaccardPartsAVX512", "func(a, b *byte, n int) (both, either int)")
	a, b, n := Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("n"), GP64())
	both, either := zeroWide(), zeroWide()
	eachLine(a, b, n, func(x, y reg.VecVirtual) {
		and := ZMM()
		VPANDQ(x, y, and)
		VPORQ(x, y, x)
		VPOPCNTQ(and, and)
		VPOPCNTQ(x, x)
		VPADDQ(and, both, both)
		VPADDQ(x, either, either)
	})
	reduceQuads(both, 0)
	reduceQuads(either, 1)
	RET()
}

func reduceQuads(sum reg.VecVirtual, result int) {
	high := YMM()
	VEXTRACTI64X4(Imm(1), sum, high)
	VPADDQ(high, sum.AsY(), sum.AsY())
	x := XMM()
	VEXTRACTI128(Imm(1), sum.AsY(), x)
	VPADDQ(x, sum.AsX(), sum.AsX())
	VPSHUFD(Imm(0xee), sum.AsX(), x)
	VPADDQ(x, sum.AsX(), sum.AsX())
	r := GP64()
	VMOVQ(sum.AsX(), r)
	Store(r, ReturnIndex(result))
}

// vpdpbusd adds products of four unsigned bytes of code and signed ones of query
// to each sum. The library of instructions does not know it.
func vpdpbusd(query, code, sum reg.Register) {
	Instruction(&ir.Instruction{
		Opcode:   "VPDPBUSD",
		Operands: []Op{query, code, sum},
		Inputs:   []Op{query, code, sum},
		Outputs:  []Op{sum},
		ISA:      []string{"AVX512VNNI"},
	})
}

// reduceLongs adds the sixteen (or eight) sums of a register.
func reduceLongs(sum reg.VecVirtual, wide bool) reg.Register {
	if wide {
		high := YMM()
		VEXTRACTI64X4(Imm(1), sum, high)
		VPADDD(high, sum.AsY(), sum.AsY())
	}
	x := XMM()
	VEXTRACTI128(Imm(1), sum.AsY(), x)
	VPADDD(x, sum.AsX(), sum.AsX())
	VPSHUFD(Imm(0xee), sum.AsX(), x)
	VPADDD(x, sum.AsX(), sum.AsX())
	VPSHUFD(Imm(0x55), sum.AsX(), x)
	VPADDD(x, sum.AsX(), sum.AsX())
	r := GP32()
	VMOVD(sum.AsX(), r)
	return r
}

func dotCodesVNNI() {
	start("dotCodesAVX512", "func(code *uint8, query *int8, n int) int32")
	code, query, n := Load(Param("code"), GP64()), Load(Param("query"), GP64()), Load(Param("n"), GP64())
	sum := zeroWide()
	eachLine(code, query, n, func(x, y reg.VecVirtual) { vpdpbusd(y, x, sum) })
	Store(reduceLongs(sum, true), ReturnIndex(0))
	RET()
}

// products adds the products of 16 bytes of code and query at an offset.
func products(sum reg.VecVirtual, code, query reg.Register, at int) {
	x, y := YMM(), YMM()
	VPMOVZXBW(Mem{Base: code, Disp: at}, x)
	VPMOVSXBW(Mem{Base: query, Disp: at}, y)
	VPMADDWD(x, y, x)
	VPADDD(x, sum, sum)
}

func dotCodesAVX2() {
	start("dotCodesAVX2", "func(code *uint8, query *int8, n int) int32")
	code, query, n := Load(Param("code"), GP64()), Load(Param("query"), GP64()), Load(Param("n"), GP64())
	sum := YMM()
	VPXOR(sum, sum, sum)
	loop(n, 16, "steps", func() {
		products(sum, code, query, 0)
		advance(16, code, query)
	})
	total := GP32()
	XORL(total, total)
	loop(n, 1, "rest", func() {
		x, y := GP32(), GP32()
		MOVBLZX(Mem{Base: code}, x)
		MOVBLSX(Mem{Base: query}, y)
		IMULL(y, x)
		ADDL(x, total)
		advance(1, code, query)
	})
	ADDL(reduceLongs(sum, false), total)
	Store(total, ReturnIndex(0))
	RET()
}

// dotCodesManyVNNI takes four codes at a time: the query is loaded once for the
// four, and their cache misses run side by side. While it works on four it asks
// for the lines of the next four, and the line after, where factors may stand.
func dotCodesManyVNNI() {
	const rows = 4
	start("dotCodesManyAVX512", "func(query *int8, blocks int, codes *uintptr, n int, out *int32)")
	query, blocks := Load(Param("query"), GP64()), Load(Param("blocks"), GP64())
	codes, n, out := Load(Param("codes"), GP64()), Load(Param("n"), GP64()), Load(Param("out"), GP64())
	SHLQ(Imm(6), blocks) // bytes
	at := GP64()
	row, ahead, sums := make([]reg.Register, rows), make([]reg.Register, rows), make([]reg.VecVirtual, rows)
	for i := range rows {
		row[i] = GP64()
		sums[i] = ZMM()
	}
	next := GP64()
	for i := range rows {
		ahead[i] = next
	}
	loop(n, rows, "fours", func() {
		for i := range rows {
			MOVQ(Mem{Base: codes, Disp: 8 * i}, row[i])
			VPXORD(sums[i], sums[i], sums[i])
		}
		CMPQ(n, I32(2*rows))
		JL(LabelRef("last"))
		XORQ(at, at)
		Label("fetching")
		fourLines(query, at, row, sums)
		for i := range rows {
			MOVQ(Mem{Base: codes, Disp: 8 * (rows + i)}, next)
			PREFETCHT0(Mem{Base: next, Index: at, Scale: 1})
		}
		ADDQ(Imm(64), at)
		CMPQ(at, blocks)
		JL(LabelRef("fetching"))
		for i := range rows {
			MOVQ(Mem{Base: codes, Disp: 8 * (rows + i)}, next)
			PREFETCHT0(Mem{Base: next, Index: at, Scale: 1})
		}
		JMP(LabelRef("store"))
		Label("last")
		XORQ(at, at)
		Label("plain")
		fourLines(query, at, row, sums)
		ADDQ(Imm(64), at)
		CMPQ(at, blocks)
		JL(LabelRef("plain"))
		Label("store")
		for i := range rows {
			MOVL(reduceLongs(sums[i], true), Mem{Base: out, Disp: 4 * i})
		}
		advance(8*rows, codes)
		advance(4*rows, out)
	})
	loop(n, 1, "ones", func() {
		MOVQ(Mem{Base: codes}, row[0])
		VPXORD(sums[0], sums[0], sums[0])
		XORQ(at, at)
		Label("one")
		fourLines(query, at, row[:1], sums[:1])
		ADDQ(Imm(64), at)
		CMPQ(at, blocks)
		JL(LabelRef("one"))
		MOVL(reduceLongs(sums[0], true), Mem{Base: out})
		advance(8, codes)
		advance(4, out)
	})
	RET()
}

func fourLines(query, at reg.Register, row []reg.Register, sums []reg.VecVirtual) {
	q := ZMM()
	VMOVDQU64(Mem{Base: query, Index: at, Scale: 1}, q)
	for i := range row {
		c := ZMM()
		VMOVDQU64(Mem{Base: row[i], Index: at, Scale: 1}, c)
		vpdpbusd(q, c, sums[i])
	}
}

func dotCodesManyAVX2() {
	start("dotCodesManyAVX2", "func(query *int8, blocks int, codes *uintptr, n int, out *int32)")
	query, blocks := Load(Param("query"), GP64()), Load(Param("blocks"), GP64())
	codes, n, out := Load(Param("codes"), GP64()), Load(Param("n"), GP64()), Load(Param("out"), GP64())
	code, q, left := GP64(), GP64(), GP64()
	s0, s1 := YMM(), YMM()
	loop(n, 1, "codes", func() {
		MOVQ(Mem{Base: codes}, code)
		MOVQ(query, q)
		MOVQ(blocks, left)
		VPXOR(s0, s0, s0)
		VPXOR(s1, s1, s1)
		Label("block")
		products(s0, code, q, 0)
		products(s1, code, q, 16)
		products(s0, code, q, 32)
		products(s1, code, q, 48)
		advance(64, code, q)
		DECQ(left)
		JNZ(LabelRef("block"))
		VPADDD(s1, s0, s0)
		MOVL(reduceLongs(s0, false), Mem{Base: out})
		advance(8, codes)
		advance(4, out)
	})
	RET()
}

func prefetchLines() {
	start("prefetchLines", "func(address uintptr, bytes int)")
	p, n := Load(Param("address"), GP64()), Load(Param("bytes"), GP64())
	Label("line")
	PREFETCHT0(Mem{Base: p})
	ADDQ(Imm(64), p)
	SUBQ(Imm(64), n)
	JG(LabelRef("line"))
	RET()
}
