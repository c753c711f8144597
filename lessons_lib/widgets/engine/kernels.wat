;; The kernels of the page's engine: WebAssembly with SIMD, 128 bits at a time, on one thread.
;; `python -m tools.kernels` assembles it into kernels.wasm. Addresses and steps are bytes, sizes are counts, matrices
;; lie by rows. kernels.js says what each exported function computes, and arena.js where arrays lie.
;;
;; Ends that fill no register: what is loaded past an end belongs to somebody else and is not used; what is stored past
;; an end is what stood there.

(module
  (import "page" "memory" (memory 1))

  ;; ------------------------------------------------------------------------------------------- products of matrices
  ;;
  ;; C += A·B in blocks of 4 rows by 8 columns of C, whose 32 sums stay in 8 registers. The columns of B that a block
  ;; needs are first copied side by side (the panel, 256 rows of 8), because in B their rows lie far apart. After 256
  ;; products a sum is added to C and begins anew, so that a long sum is one of parts.
  ;; A and B are read by steps from row to row and from column to column: so each may be read as its transpose.

  (func (export "product")
    (param $a i32) (param $a_row i32) (param $a_step i32) (param $b i32) (param $b_row i32) (param $b_step i32)
    (param $c i32) (param $c_row i32) (param $m i32) (param $k i32) (param $n i32) (param $panel i32)
    (local $p i32) (local $depth i32) (local $i i32) (local $j i32)
    (loop $depths
      (local.set $depth (call $at_most (i32.sub (local.get $k) (local.get $p)) (i32.const 256)))
      (local.set $j (i32.const 0))
      (loop $columns
        (call $pack
          (i32.add
            (i32.add (local.get $b) (i32.mul (local.get $p) (local.get $b_row)))
            (i32.mul (local.get $j) (local.get $b_step)))
          (local.get $b_row) (local.get $b_step) (local.get $panel) (local.get $depth)
          (call $at_most (i32.sub (local.get $n) (local.get $j)) (i32.const 8)))
        (local.set $i (i32.const 0))
        (loop $rows
          (call $block
            (i32.add
              (i32.add (local.get $a) (i32.mul (local.get $i) (local.get $a_row)))
              (i32.mul (local.get $p) (local.get $a_step)))
            (local.get $a_row) (local.get $a_step) (local.get $panel) (local.get $depth)
            (call $number (i32.add (local.get $c) (i32.mul (local.get $i) (local.get $c_row))) (local.get $j))
            (local.get $c_row)
            (i32.sub (local.get $m) (local.get $i)) (i32.sub (local.get $n) (local.get $j)))
          (local.set $i (i32.add (local.get $i) (i32.const 4)))
          (br_if $rows (i32.lt_s (local.get $i) (local.get $m))))
        (local.set $j (i32.add (local.get $j) (i32.const 8)))
        (br_if $columns (i32.lt_s (local.get $j) (local.get $n))))
      (local.set $p (i32.add (local.get $p) (i32.const 256)))
      (br_if $depths (i32.lt_s (local.get $p) (local.get $k)))))

  ;; The panel: 8 numbers of each row of B, one row behind the other.
  (func $pack
    (param $b i32) (param $b_row i32) (param $b_step i32) (param $panel i32) (param $depth i32) (param $width i32)
    (local $end i32) (local $j i32) (local $from i32) (local $to i32)
    (local.set $end (i32.add (local.get $panel) (i32.shl (local.get $depth) (i32.const 5))))
    (if (i32.eq (local.get $b_step) (i32.const 4))
      (then
        (loop $rows
          (v128.store (local.get $panel) (v128.load (local.get $b)))
          (v128.store offset=16 (local.get $panel) (v128.load offset=16 (local.get $b)))
          (local.set $b (i32.add (local.get $b) (local.get $b_row)))
          (local.set $panel (i32.add (local.get $panel) (i32.const 32)))
          (br_if $rows (i32.lt_u (local.get $panel) (local.get $end)))))
      (else
        (loop $columns
          (local.set $from (i32.add (local.get $b) (i32.mul (local.get $j) (local.get $b_step))))
          (local.set $to (i32.add (local.get $panel) (i32.shl (local.get $j) (i32.const 2))))
          (loop $rows
            (f32.store (local.get $to) (f32.load (local.get $from)))
            (local.set $from (i32.add (local.get $from) (local.get $b_row)))
            (local.set $to (i32.add (local.get $to) (i32.const 32)))
            (br_if $rows (i32.lt_u (local.get $to) (local.get $end))))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br_if $columns (i32.lt_s (local.get $j) (local.get $width)))))))

  ;; 4 rows of A times the panel, added to 4×8 of C; only $rows and $columns of it, if that is less.
  (func $block
    (param $a i32) (param $a_row i32) (param $a_step i32) (param $panel i32) (param $depth i32)
    (param $c i32) (param $c_row i32) (param $rows i32) (param $columns i32)
    (local $a1 i32) (local $a2 i32) (local $a3 i32) (local $end i32)
    (local $b0 v128) (local $b1 v128) (local $x v128)
    (local $s00 v128) (local $s01 v128) (local $s10 v128) (local $s11 v128)
    (local $s20 v128) (local $s21 v128) (local $s30 v128) (local $s31 v128)
    (local.set $a1 (call $there (local.get $a) (local.get $a_row) (i32.const 1) (local.get $rows)))
    (local.set $a2 (call $there (local.get $a) (local.get $a_row) (i32.const 2) (local.get $rows)))
    (local.set $a3 (call $there (local.get $a) (local.get $a_row) (i32.const 3) (local.get $rows)))
    (local.set $end (i32.add (local.get $panel) (i32.shl (local.get $depth) (i32.const 5))))
    (loop $sum
      (local.set $b0 (v128.load (local.get $panel)))
      (local.set $b1 (v128.load offset=16 (local.get $panel)))
      (local.set $x (v128.load32_splat (local.get $a)))
      (local.set $s00 (f32x4.add (local.get $s00) (f32x4.mul (local.get $x) (local.get $b0))))
      (local.set $s01 (f32x4.add (local.get $s01) (f32x4.mul (local.get $x) (local.get $b1))))
      (local.set $x (v128.load32_splat (local.get $a1)))
      (local.set $s10 (f32x4.add (local.get $s10) (f32x4.mul (local.get $x) (local.get $b0))))
      (local.set $s11 (f32x4.add (local.get $s11) (f32x4.mul (local.get $x) (local.get $b1))))
      (local.set $x (v128.load32_splat (local.get $a2)))
      (local.set $s20 (f32x4.add (local.get $s20) (f32x4.mul (local.get $x) (local.get $b0))))
      (local.set $s21 (f32x4.add (local.get $s21) (f32x4.mul (local.get $x) (local.get $b1))))
      (local.set $x (v128.load32_splat (local.get $a3)))
      (local.set $s30 (f32x4.add (local.get $s30) (f32x4.mul (local.get $x) (local.get $b0))))
      (local.set $s31 (f32x4.add (local.get $s31) (f32x4.mul (local.get $x) (local.get $b1))))
      (local.set $a (i32.add (local.get $a) (local.get $a_step)))
      (local.set $a1 (i32.add (local.get $a1) (local.get $a_step)))
      (local.set $a2 (i32.add (local.get $a2) (local.get $a_step)))
      (local.set $a3 (i32.add (local.get $a3) (local.get $a_step)))
      (local.set $panel (i32.add (local.get $panel) (i32.const 32)))
      (br_if $sum (i32.lt_u (local.get $panel) (local.get $end))))
    (call $add (local.get $c) (local.get $s00) (local.get $s01) (local.get $columns))
    (br_if 0 (i32.lt_s (local.get $rows) (i32.const 2)))
    (local.set $c (i32.add (local.get $c) (local.get $c_row)))
    (call $add (local.get $c) (local.get $s10) (local.get $s11) (local.get $columns))
    (br_if 0 (i32.lt_s (local.get $rows) (i32.const 3)))
    (local.set $c (i32.add (local.get $c) (local.get $c_row)))
    (call $add (local.get $c) (local.get $s20) (local.get $s21) (local.get $columns))
    (br_if 0 (i32.lt_s (local.get $rows) (i32.const 4)))
    (local.set $c (i32.add (local.get $c) (local.get $c_row)))
    (call $add (local.get $c) (local.get $s30) (local.get $s31) (local.get $columns)))

  ;; Row $i of A; one that is not there is the first one once more.
  (func $there (param $a i32) (param $a_row i32) (param $i i32) (param $rows i32) (result i32)
    (select
      (i32.add (local.get $a) (i32.mul (local.get $i) (local.get $a_row)))
      (local.get $a)
      (i32.lt_s (local.get $i) (local.get $rows))))

  ;; 8 sums added to the numbers at $c, or to the first $count of them.
  (func $add (param $c i32) (param $left v128) (param $right v128) (param $count i32)
    (call $store (local.get $c) (f32x4.add (local.get $left) (v128.load (local.get $c))) (local.get $count))
    (call $store
      (i32.add (local.get $c) (i32.const 16))
      (f32x4.add (local.get $right) (v128.load offset=16 (local.get $c)))
      (i32.sub (local.get $count) (i32.const 4))))

  ;; --------------------------------------------------------------------------------------------- weights of 8 bits
  ;;
  ;; y += x·(scale · W)ᵀ in whole numbers, without rounding x noticeably: each row of x is step · (2^14 · high + low), of
  ;; two whole numbers of 14 bits, and `dot` multiplies numbers of 16 bits and adds them in pairs. A row of halves: 16
  ;; bytes that begin with its step; then for each 8 numbers of x their 8 highs and their 8 lows, 0 where there is no
  ;; number. At most 8192 columns at a time, or the sums would not fit into 32 bits.

  (func (export "linear8")
    (param $x i32) (param $w i32) (param $scales i32) (param $y i32) (param $m i32) (param $k i32) (param $n i32)
    (param $halves i32)
    (local $p i32) (local $part i32) (local $row i32) (local $i i32) (local $j i32)
    (loop $parts
      (local.set $part (call $at_most (i32.sub (local.get $k) (local.get $p)) (i32.const 8192)))
      (local.set $row
        (call $number (i32.const 16) (i32.and (i32.add (local.get $part) (i32.const 7)) (i32.const -8))))
      (local.set $i (i32.const 0))
      (loop $rows
        (call $halve
          (call $number (local.get $x) (i32.add (i32.mul (local.get $i) (local.get $k)) (local.get $p)))
          (local.get $part)
          (i32.add (local.get $halves) (i32.mul (local.get $i) (local.get $row))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $rows (i32.lt_s (local.get $i) (local.get $m))))
      (local.set $j (i32.const 0))
      (loop $outputs ;; 4 rows of W at a time, for every row of x
        (local.set $i (i32.const 0))
        (loop $rows
          (call $four_outputs
            (i32.add (local.get $halves) (i32.mul (local.get $i) (local.get $row)))
            (local.get $row)
            (i32.add (local.get $w) (i32.add (i32.mul (local.get $j) (local.get $k)) (local.get $p)))
            (local.get $k)
            (v128.load (call $number (local.get $scales) (local.get $j)))
            (call $number (local.get $y) (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $j)))
            (i32.sub (local.get $n) (local.get $j)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $rows (i32.lt_s (local.get $i) (local.get $m))))
        (local.set $j (i32.add (local.get $j) (i32.const 4)))
        (br_if $outputs (i32.lt_s (local.get $j) (local.get $n))))
      (local.set $p (i32.add (local.get $p) (i32.const 8192)))
      (br_if $parts (i32.lt_s (local.get $p) (local.get $k)))))

  ;; A row of x in halves. 134201344 is 8191 · 2^14, the largest number that they say.
  (func $halve (param $x i32) (param $count i32) (param $halves i32)
    (local $j i32) (local $largest f32) (local $most v128) (local $factor v128) (local $left v128) (local $right v128)
    (local $high_left v128) (local $high_right v128)
    (loop $numbers
      (local.set $most
        (f32x4.max
          (local.get $most)
          (v128.and
            (f32x4.abs (v128.load (call $number (local.get $x) (local.get $j))))
            (call $lanes (i32.sub (local.get $count) (local.get $j))))))
      (local.set $j (i32.add (local.get $j) (i32.const 4)))
      (br_if $numbers (i32.lt_s (local.get $j) (local.get $count))))
    (local.set $largest (call $largest (local.get $most)))
    (f32.store (local.get $halves) (f32.div (local.get $largest) (f32.const 134201344)))
    (if (f32.lt (local.get $largest) (f32.const 1e-30)) (then (local.set $largest (f32.const inf))))
    (local.set $factor (f32x4.splat (f32.div (f32.const 134201344) (local.get $largest))))
    (local.set $j (i32.const 0))
    (loop $numbers
      (local.set $halves (i32.add (local.get $halves) (i32.const 16)))
      (local.set $left
        (call $whole (local.get $x) (local.get $factor) (i32.sub (local.get $count) (local.get $j))))
      (local.set $j (i32.add (local.get $j) (i32.const 4)))
      (local.set $right
        (call $whole
          (i32.add (local.get $x) (i32.const 16))
          (local.get $factor)
          (i32.sub (local.get $count) (local.get $j))))
      (local.set $j (i32.add (local.get $j) (i32.const 4)))
      (local.set $high_left (call $high (local.get $left)))
      (local.set $high_right (call $high (local.get $right)))
      (v128.store (local.get $halves) (i16x8.narrow_i32x4_s (local.get $high_left) (local.get $high_right)))
      (local.set $halves (i32.add (local.get $halves) (i32.const 16)))
      (v128.store (local.get $halves)
        (i16x8.narrow_i32x4_s
          (i32x4.sub (local.get $left) (i32x4.shl (local.get $high_left) (i32.const 14)))
          (i32x4.sub (local.get $right) (i32x4.shl (local.get $high_right) (i32.const 14)))))
      (local.set $x (i32.add (local.get $x) (i32.const 32)))
      (br_if $numbers (i32.lt_s (local.get $j) (local.get $count)))))

  ;; 4 numbers times a factor as whole numbers; 0 from the $count-th on.
  (func $whole (param $x i32) (param $factor v128) (param $count i32) (result v128)
    (v128.and
      (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (v128.load (local.get $x)) (local.get $factor))))
      (call $lanes (local.get $count))))

  (func $high (param $numbers v128) (result v128)
    (i32x4.shr_s (i32x4.add (local.get $numbers) (i32x4.splat (i32.const 8192))) (i32.const 14)))

  ;; A row of halves times 4 rows of W, added to 4 numbers at $y, or to the first $count of them.
  (func $four_outputs
    (param $halves i32) (param $row i32) (param $w i32) (param $w_row i32) (param $scales v128) (param $y i32)
    (param $count i32)
    (local $end i32) (local $step f32) (local $w1 i32) (local $w2 i32) (local $w3 i32)
    (local $high v128) (local $low v128) (local $weights v128)
    (local $h0 v128) (local $h1 v128) (local $h2 v128) (local $h3 v128)
    (local $l0 v128) (local $l1 v128) (local $l2 v128) (local $l3 v128)
    (local.set $end (i32.add (local.get $halves) (local.get $row)))
    (local.set $step (f32.load (local.get $halves)))
    (local.set $halves (i32.add (local.get $halves) (i32.const 16)))
    (local.set $w1 (i32.add (local.get $w) (local.get $w_row)))
    (local.set $w2 (i32.add (local.get $w1) (local.get $w_row)))
    (local.set $w3 (i32.add (local.get $w2) (local.get $w_row)))
    (loop $sum
      (local.set $high (v128.load (local.get $halves)))
      (local.set $low (v128.load offset=16 (local.get $halves)))
      (local.set $weights (v128.load8x8_s (local.get $w)))
      (local.set $h0 (i32x4.add (local.get $h0) (i32x4.dot_i16x8_s (local.get $weights) (local.get $high))))
      (local.set $l0 (i32x4.add (local.get $l0) (i32x4.dot_i16x8_s (local.get $weights) (local.get $low))))
      (local.set $weights (v128.load8x8_s (local.get $w1)))
      (local.set $h1 (i32x4.add (local.get $h1) (i32x4.dot_i16x8_s (local.get $weights) (local.get $high))))
      (local.set $l1 (i32x4.add (local.get $l1) (i32x4.dot_i16x8_s (local.get $weights) (local.get $low))))
      (local.set $weights (v128.load8x8_s (local.get $w2)))
      (local.set $h2 (i32x4.add (local.get $h2) (i32x4.dot_i16x8_s (local.get $weights) (local.get $high))))
      (local.set $l2 (i32x4.add (local.get $l2) (i32x4.dot_i16x8_s (local.get $weights) (local.get $low))))
      (local.set $weights (v128.load8x8_s (local.get $w3)))
      (local.set $h3 (i32x4.add (local.get $h3) (i32x4.dot_i16x8_s (local.get $weights) (local.get $high))))
      (local.set $l3 (i32x4.add (local.get $l3) (i32x4.dot_i16x8_s (local.get $weights) (local.get $low))))
      (local.set $w (i32.add (local.get $w) (i32.const 8)))
      (local.set $w1 (i32.add (local.get $w1) (i32.const 8)))
      (local.set $w2 (i32.add (local.get $w2) (i32.const 8)))
      (local.set $w3 (i32.add (local.get $w3) (i32.const 8)))
      (local.set $halves (i32.add (local.get $halves) (i32.const 32)))
      (br_if $sum (i32.lt_u (local.get $halves) (local.get $end))))
    (call $store
      (local.get $y)
      (f32x4.add
        (v128.load (local.get $y))
        (f32x4.mul
          (f32x4.mul (local.get $scales) (f32x4.splat (local.get $step)))
          (call $sums
            (call $joined (local.get $h0) (local.get $l0)) (call $joined (local.get $h1) (local.get $l1))
            (call $joined (local.get $h2) (local.get $l2)) (call $joined (local.get $h3) (local.get $l3)))))
      (local.get $count)))

  (func $joined (param $high v128) (param $low v128) (result v128)
    (f32x4.add
      (f32x4.mul (f32x4.convert_i32x4_s (local.get $high)) (f32x4.splat (f32.const 16384)))
      (f32x4.convert_i32x4_s (local.get $low))))

  ;; ----------------------------------------------------------------------------------------------------- attention
  ;;
  ;; One query in every head: weights = softmax(q·k · scale + bias), where the bias is what stands in the weights, and
  ;; out = the weights' mixture of the values. Key and value s stand in row places[s] of their arrays, so that beams
  ;; which begin alike share them; $row is the length of such a row in bytes, and $group heads share a key and a value.

  (func (export "attend")
    (param $q i32) (param $keys i32) (param $values i32) (param $places i32) (param $count i32)
    (param $heads i32) (param $group i32) (param $width i32) (param $row i32) (param $scale f32)
    (param $weights i32) (param $out i32)
    (local $h i32) (local $shared i32)
    (loop $each
      (local.set $shared
        (call $number (i32.const 0) (i32.mul (i32.div_u (local.get $h) (local.get $group)) (local.get $width))))
      (call $score
        (local.get $q) (i32.add (local.get $keys) (local.get $shared)) (local.get $places) (local.get $count)
        (local.get $width) (local.get $row) (f32x4.splat (local.get $scale)) (local.get $weights))
      (call $softmax (local.get $weights) (local.get $count))
      (call $mix
        (i32.add (local.get $values) (local.get $shared)) (local.get $places) (local.get $count)
        (local.get $width) (local.get $row) (local.get $weights) (local.get $out))
      (local.set $q (call $number (local.get $q) (local.get $width)))
      (local.set $out (call $number (local.get $out) (local.get $width)))
      (local.set $weights (call $number (local.get $weights) (local.get $count)))
      (local.set $h (i32.add (local.get $h) (i32.const 1)))
      (br_if $each (i32.lt_s (local.get $h) (local.get $heads)))))

  ;; Four keys at a time; one that is not there is the last one once more.
  (func $score
    (param $q i32) (param $keys i32) (param $places i32) (param $count i32) (param $width i32) (param $row i32)
    (param $scale v128) (param $weights i32)
    (local $s i32) (local $i i32) (local $last i32) (local $at i32) (local $x v128) (local $lanes v128)
    (local $k0 i32) (local $k1 i32) (local $k2 i32) (local $k3 i32)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local.set $last (i32.sub (local.get $count) (i32.const 1)))
    (loop $keys_left
      (local.set $k0
        (call $placed (local.get $keys) (local.get $row) (local.get $places) (local.get $s) (local.get $last)))
      (local.set $k1
        (call $placed (local.get $keys) (local.get $row) (local.get $places) (i32.add (local.get $s) (i32.const 1)) (local.get $last)))
      (local.set $k2
        (call $placed (local.get $keys) (local.get $row) (local.get $places) (i32.add (local.get $s) (i32.const 2)) (local.get $last)))
      (local.set $k3
        (call $placed (local.get $keys) (local.get $row) (local.get $places) (i32.add (local.get $s) (i32.const 3)) (local.get $last)))
      (local.set $s0 (v128.const f32x4 0 0 0 0))
      (local.set $s1 (v128.const f32x4 0 0 0 0))
      (local.set $s2 (v128.const f32x4 0 0 0 0))
      (local.set $s3 (v128.const f32x4 0 0 0 0))
      (local.set $i (i32.const 0))
      (loop $sum
        (local.set $at (i32.shl (local.get $i) (i32.const 2)))
        (local.set $x (v128.load (i32.add (local.get $q) (local.get $at))))
        (local.set $lanes (call $lanes (i32.sub (local.get $width) (local.get $i))))
        (local.set $s0
          (f32x4.add
            (local.get $s0)
            (v128.and
              (local.get $lanes)
              (f32x4.mul (local.get $x) (v128.load (i32.add (local.get $k0) (local.get $at)))))))
        (local.set $s1
          (f32x4.add
            (local.get $s1)
            (v128.and
              (local.get $lanes)
              (f32x4.mul (local.get $x) (v128.load (i32.add (local.get $k1) (local.get $at)))))))
        (local.set $s2
          (f32x4.add
            (local.get $s2)
            (v128.and
              (local.get $lanes)
              (f32x4.mul (local.get $x) (v128.load (i32.add (local.get $k2) (local.get $at)))))))
        (local.set $s3
          (f32x4.add
            (local.get $s3)
            (v128.and
              (local.get $lanes)
              (f32x4.mul (local.get $x) (v128.load (i32.add (local.get $k3) (local.get $at)))))))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br_if $sum (i32.lt_s (local.get $i) (local.get $width))))
      (call $store
        (local.get $weights)
        (f32x4.add
          (v128.load (local.get $weights))
          (f32x4.mul (local.get $scale) (call $sums (local.get $s0) (local.get $s1) (local.get $s2) (local.get $s3))))
        (i32.sub (local.get $count) (local.get $s)))
      (local.set $weights (i32.add (local.get $weights) (i32.const 16)))
      (local.set $s (i32.add (local.get $s) (i32.const 4)))
      (br_if $keys_left (i32.lt_s (local.get $s) (local.get $count)))))

  ;; Values times weights, 16 numbers of a row at a time.
  (func $mix
    (param $values i32) (param $places i32) (param $count i32) (param $width i32) (param $row i32) (param $weights i32)
    (param $out i32)
    (local $s i32) (local $v i32) (local $weight v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (loop $numbers
      (local.set $s0 (v128.const f32x4 0 0 0 0))
      (local.set $s1 (v128.const f32x4 0 0 0 0))
      (local.set $s2 (v128.const f32x4 0 0 0 0))
      (local.set $s3 (v128.const f32x4 0 0 0 0))
      (local.set $s (i32.const 0))
      (loop $sum
        (local.set $v (call $placed (local.get $values) (local.get $row) (local.get $places) (local.get $s) (local.get $s)))
        (local.set $weight (v128.load32_splat (call $number (local.get $weights) (local.get $s))))
        (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $weight) (v128.load (local.get $v)))))
        (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $weight) (v128.load offset=16 (local.get $v)))))
        (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $weight) (v128.load offset=32 (local.get $v)))))
        (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $weight) (v128.load offset=48 (local.get $v)))))
        (local.set $s (i32.add (local.get $s) (i32.const 1)))
        (br_if $sum (i32.lt_s (local.get $s) (local.get $count))))
      (call $store (local.get $out) (local.get $s0) (local.get $width))
      (call $store (i32.add (local.get $out) (i32.const 16)) (local.get $s1) (i32.sub (local.get $width) (i32.const 4)))
      (call $store (i32.add (local.get $out) (i32.const 32)) (local.get $s2) (i32.sub (local.get $width) (i32.const 8)))
      (call $store (i32.add (local.get $out) (i32.const 48)) (local.get $s3) (i32.sub (local.get $width) (i32.const 12)))
      (local.set $values (i32.add (local.get $values) (i32.const 64)))
      (local.set $out (i32.add (local.get $out) (i32.const 64)))
      (local.set $width (i32.sub (local.get $width) (i32.const 16)))
      (br_if $numbers (i32.gt_s (local.get $width) (i32.const 0)))))

  ;; The row that key or value $s, but at most $last, stands in.
  (func $placed (param $rows i32) (param $row i32) (param $places i32) (param $s i32) (param $last i32) (result i32)
    (i32.add
      (local.get $rows)
      (i32.mul
        (local.get $row)
        (i32.load (call $number (local.get $places) (call $at_most (local.get $s) (local.get $last)))))))

  ;; ------------------------------------------------------------------------------------------------------- softmax

  ;; Scores to weights that sum to 1, in place.
  (func $softmax (param $x i32) (param $count i32)
    (local $factor v128) (local $j i32) (local $at i32)
    (local $top f32)
    (local.set $top (call $greatest (local.get $x) (local.get $count)))
    (local.set $factor
      (f32x4.splat
        (f32.div
          (f32.const 1)
          (call $exponentials (local.get $x) (local.get $count) (local.get $top) (i32.const 1)))))
    (loop $numbers
      (local.set $at (call $number (local.get $x) (local.get $j)))
      (call $store
        (local.get $at)
        (f32x4.mul (local.get $factor) (v128.load (local.get $at)))
        (i32.sub (local.get $count) (local.get $j)))
      (local.set $j (i32.add (local.get $j) (i32.const 4)))
      (br_if $numbers (i32.lt_s (local.get $j) (local.get $count)))))

  (func (export "softmax") (param $x i32) (param $rows i32) (param $count i32)
    (loop $each
      (call $softmax (local.get $x) (local.get $count))
      (local.set $x (call $number (local.get $x) (local.get $count)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $each (local.get $rows))))

  (func $greatest (export "greatest") (param $x i32) (param $count i32) (result f32)
    (local $end i32) (local $most v128) (local $left i32)
    (local.set $most (v128.load32_splat (local.get $x)))
    (local.set $left (local.get $count))
    (loop $numbers
      (local.set $most (f32x4.max (local.get $most)
        (v128.bitselect (v128.load (local.get $x)) (local.get $most) (call $lanes (local.get $left)))))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 4)))
      (br_if $numbers (i32.gt_s (local.get $left) (i32.const 0))))
    (call $largest (local.get $most)))

  ;; The sum of exp(x − top); where $kept is not 0, they take the place of x.
  (func $exponentials (export "exponentials")
    (param $x i32) (param $left i32) (param $top f32) (param $kept i32) (result f32)
    (local $each v128) (local $sum v128)
    (loop $numbers
      (local.set $each (call $exp (f32x4.sub (v128.load (local.get $x)) (f32x4.splat (local.get $top)))))
      (if (local.get $kept) (then (call $store (local.get $x) (local.get $each) (local.get $left))))
      (local.set $sum (f32x4.add (local.get $sum) (v128.and (local.get $each) (call $lanes (local.get $left)))))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 4)))
      (br_if $numbers (i32.gt_s (local.get $left) (i32.const 0))))
    (f32x4.extract_lane 0 (call $sums (local.get $sum) (local.get $sum) (local.get $sum) (local.get $sum))))

  ;; e^x = 2^n · e^r, where n is whole and |r| ≤ ln 2 / 2: six terms of the series of e^r are right to 1.2e-7. ln 2 is
  ;; taken away in two parts, the first so short that n times it is exact. Below −87.3 it is 0; above 88 it stays there.
  (func $exp (param $x v128) (result v128)
    (local $n v128) (local $r v128)
    (local.set $r (f32x4.min (local.get $x) (f32x4.splat (f32.const 88))))
    (local.set $n (f32x4.nearest (f32x4.mul (local.get $r) (f32x4.splat (f32.const 1.44269504)))))
    (local.set $r (f32x4.sub (local.get $r) (f32x4.mul (local.get $n) (f32x4.splat (f32.const 0.693359375)))))
    (local.set $r (f32x4.add (local.get $r) (f32x4.mul (local.get $n) (f32x4.splat (f32.const 2.12194440e-4)))))
    (v128.andnot
      (f32x4.mul
        (i32x4.shl (i32x4.add (i32x4.trunc_sat_f32x4_s (local.get $n)) (i32x4.splat (i32.const 127))) (i32.const 23))
        (call $next (local.get $r) (f32.const 1)
          (call $next (local.get $r) (f32.const 1)
            (call $next (local.get $r) (f32.const 0.5)
              (call $next (local.get $r) (f32.const 0.166666667)
                (call $next (local.get $r) (f32.const 0.0416666667)
                  (call $next (local.get $r) (f32.const 0.00833333333)
                    (f32x4.splat (f32.const 0.00138888889)))))))))
      (f32x4.lt (local.get $x) (f32x4.splat (f32.const -87.3)))))

  ;; One term more of a series.
  (func $next (param $r v128) (param $term f32) (param $rest v128) (result v128)
    (f32x4.add (f32x4.splat (local.get $term)) (f32x4.mul (local.get $r) (local.get $rest))))

  ;; ------------------------------------------------------------------------------------------------ what they share

  ;; Which of 4 lanes are among the first $count: all bits or none in each.
  (func $lanes (param $count i32) (result v128)
    (i32x4.lt_s (v128.const i32x4 0 1 2 3) (i32x4.splat (local.get $count))))

  ;; 4 numbers to $to, or the first $count of them.
  (func $store (param $to i32) (param $numbers v128) (param $count i32)
    (v128.store
      (local.get $to)
      (v128.bitselect (local.get $numbers) (v128.load (local.get $to)) (call $lanes (local.get $count)))))

  ;; The sum of each of 4 registers.
  (func $sums (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
    (call $folded (call $folded (local.get $a) (local.get $b)) (call $folded (local.get $c) (local.get $d))))

  ;; a0 + a1, a2 + a3, b0 + b1, b2 + b3
  (func $folded (param $a v128) (param $b v128) (result v128)
    (f32x4.add
      (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $a) (local.get $b))
      (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $a) (local.get $b))))

  (func $largest (param $x v128) (result f32)
    (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $x)) (f32x4.extract_lane 1 (local.get $x)))
      (f32.max (f32x4.extract_lane 2 (local.get $x)) (f32x4.extract_lane 3 (local.get $x)))))

  ;; The address of number $index.
  (func $number (param $x i32) (param $index i32) (result i32)
    (i32.add (local.get $x) (i32.shl (local.get $index) (i32.const 2))))

  (func $at_most (param $number i32) (param $most i32) (result i32)
    (select (local.get $number) (local.get $most) (i32.lt_s (local.get $number) (local.get $most)))))
