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
    (param $c i32) (param $m i32) (param $k i32) (param $n i32) (param $panel i32)
    (local $p i32) (local $depth i32) (local $i i32) (local $j i32)
    (loop $depths
      (local.set $depth (call $at_most (i32.sub (local.get $k) (local.get $p)) (i32.const 256)))
      (local.set $j (i32.const 0))
      (loop $columns
        (call $pack
          (i32.add (local.get $b) (i32.add (i32.mul (local.get $p) (local.get $b_row)) (i32.mul (local.get $j) (local.get $b_step))))
          (local.get $b_row) (local.get $b_step) (local.get $panel) (local.get $depth)
          (call $at_most (i32.sub (local.get $n) (local.get $j)) (i32.const 8)))
        (local.set $i (i32.const 0))
        (loop $rows
          (call $block
            (i32.add (local.get $a) (i32.add (i32.mul (local.get $i) (local.get $a_row)) (i32.mul (local.get $p) (local.get $a_step))))
            (local.get $a_row) (local.get $a_step) (local.get $panel) (local.get $depth)
            (i32.add (local.get $c) (i32.shl (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $j)) (i32.const 2)))
            (i32.shl (local.get $n) (i32.const 2))
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
    ;; a row that is not there is the first one once more
    (local.set $a1 (i32.add (local.get $a) (select (local.get $a_row) (i32.const 0) (i32.gt_s (local.get $rows) (i32.const 1)))))
    (local.set $a2 (i32.add (local.get $a) (select (i32.mul (local.get $a_row) (i32.const 2)) (i32.const 0) (i32.gt_s (local.get $rows) (i32.const 2)))))
    (local.set $a3 (i32.add (local.get $a) (select (i32.mul (local.get $a_row) (i32.const 3)) (i32.const 0) (i32.gt_s (local.get $rows) (i32.const 3)))))
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

  ;; 8 sums added to the numbers at $c, or to the first $count of them.
  (func $add (param $c i32) (param $left v128) (param $right v128) (param $count i32)
    (call $store (local.get $c) (f32x4.add (local.get $left) (v128.load (local.get $c))) (local.get $count))
    (call $store
      (i32.add (local.get $c) (i32.const 16))
      (f32x4.add (local.get $right) (v128.load offset=16 (local.get $c)))
      (i32.sub (local.get $count) (i32.const 4))))

  ;; 4 numbers to $c, or the first $count of them.
  (func $store (param $c i32) (param $numbers v128) (param $count i32)
    (v128.store
      (local.get $c)
      (v128.bitselect
        (local.get $numbers)
        (v128.load (local.get $c))
        (i32x4.lt_s (v128.const i32x4 0 1 2 3) (i32x4.splat (local.get $count))))))

  (func $at_most (param $number i32) (param $most i32) (result i32)
    (select (local.get $number) (local.get $most) (i32.lt_s (local.get $number) (local.get $most)))))
