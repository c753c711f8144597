;; The loops of scaled_dot_product.js, norm.js and others in WebAssembly with SIMD: the same steps, four numbers at a time.
;; `python -m tools.kernels` assembles it into loops.wasm. Addresses and strides are bytes, sizes are counts.
;; A head, and a vector of a norm, is a multiple of 4 numbers wide; a row of weights may write up to 7 numbers past its end, into the row that is
;; computed next.

(module
  (import "page" "memory" (memory 1))

  ;; ------------------------------------------------------------------------------------- scaled_dot_product.js

  ;; A span: first query, queries, first key, keys, first weight; five whole numbers.
  (func (export "attendHeads")
    (param $q i32) (param $k i32) (param $v i32) (param $weights i32) (param $mixed i32) (param $spans i32) (param $count i32)
    (param $heads i32) (param $width i32) (param $query_stride i32) (param $key_stride i32) (param $scale f32) (param $causal i32)
    (local $end i32) (local $T i32) (local $S i32) (local $row i32) (local $h i32) (local $t i32)
    (local $query i32) (local $keys i32) (local $values i32) (local $out i32) (local $seen i32) (local $head i32) (local $model i32)
    (local.set $head (i32.shl (local.get $width) (i32.const 2)))
    (local.set $model (i32.mul (local.get $head) (local.get $heads)))
    (local.set $end (i32.add (local.get $spans) (i32.mul (local.get $count) (i32.const 20))))
    (loop $sequences
      (local.set $T (i32.load offset=4 (local.get $spans)))
      (local.set $S (i32.load offset=12 (local.get $spans)))
      (local.set $row (i32.add (local.get $weights) (i32.shl (i32.load offset=16 (local.get $spans)) (i32.const 2))))
      (local.set $h (i32.const 0))
      (loop $each_head
        (local.set $query (i32.add (local.get $q) (i32.add (i32.mul (local.get $h) (local.get $head)) (i32.mul (i32.load (local.get $spans)) (local.get $query_stride)))))
        (local.set $out (i32.add (local.get $mixed) (i32.add (i32.mul (local.get $h) (local.get $head)) (i32.mul (i32.load (local.get $spans)) (local.get $model)))))
        (local.set $keys (i32.add (local.get $k) (i32.add (i32.mul (local.get $h) (local.get $head)) (i32.mul (i32.load offset=8 (local.get $spans)) (local.get $key_stride)))))
        (local.set $values (i32.add (local.get $v) (i32.add (i32.mul (local.get $h) (local.get $head)) (i32.mul (i32.load offset=8 (local.get $spans)) (local.get $key_stride)))))
        (local.set $t (i32.const 0))
        (loop $queries
          (local.set $seen (select (i32.add (local.get $t) (i32.const 1)) (local.get $S) (local.get $causal)))
          (call $read (local.get $query) (local.get $keys) (local.get $values) (local.get $row) (local.get $out)
            (local.get $seen) (local.get $S) (local.get $head) (local.get $key_stride) (local.get $scale))
          (local.set $row (i32.add (local.get $row) (i32.shl (local.get $S) (i32.const 2))))
          (local.set $query (i32.add (local.get $query) (local.get $query_stride)))
          (local.set $out (i32.add (local.get $out) (local.get $model)))
          (local.set $t (i32.add (local.get $t) (i32.const 1)))
          (br_if $queries (i32.lt_s (local.get $t) (local.get $T))))
        (local.set $h (i32.add (local.get $h) (i32.const 1)))
        (br_if $each_head (i32.lt_s (local.get $h) (local.get $heads))))
      (local.set $spans (i32.add (local.get $spans) (i32.const 20)))
      (br_if $sequences (i32.lt_u (local.get $spans) (local.get $end)))))

  ;; One query of one head: its row of weights, and the values mixed by them.
  (func $read
    (param $query i32) (param $keys i32) (param $values i32) (param $row i32) (param $out i32)
    (param $seen i32) (param $S i32) (param $head i32) (param $stride i32) (param $scale f32)
    (local $at i32) (local $end i32) (local $stop i32) (local $key i32) (local $j i32) (local $top f32) (local $score f32)
    (local $sum v128) (local $x v128)
    (local.set $end (i32.add (local.get $row) (i32.shl (local.get $seen) (i32.const 2))))
    (local.set $stop (i32.add (local.get $row) (i32.shl (local.get $S) (i32.const 2))))
    (local.set $top (f32.const -inf))
    (local.set $at (local.get $row))
    (local.set $key (local.get $keys))
    (loop $scores
      (local.set $score (f32.mul (call $dot (local.get $query) (local.get $key) (local.get $head)) (local.get $scale)))
      (f32.store (local.get $at) (local.get $score))
      (local.set $top (f32.max (local.get $top) (local.get $score)))
      (local.set $key (i32.add (local.get $key) (local.get $stride)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $scores (i32.lt_u (local.get $at) (local.get $end))))
    ;; what is not seen, and what fills the last register
    (loop $unseen
      (v128.store (local.get $at) (v128.const f32x4 -1e30 -1e30 -1e30 -1e30))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $unseen (i32.lt_u (local.get $at) (i32.add (local.get $stop) (i32.const 12)))))
    (local.set $at (local.get $row))
    (loop $exponentials
      (local.set $x (call $exp (f32x4.sub (v128.load (local.get $at)) (f32x4.splat (local.get $top)))))
      (v128.store (local.get $at) (local.get $x))
      (local.set $sum (f32x4.add (local.get $sum) (local.get $x)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $exponentials (i32.lt_u (local.get $at) (local.get $stop))))
    (local.set $score (f32.div (f32.const 1) (call $total (local.get $sum))))
    (local.set $at (local.get $row))
    (loop $shares
      (f32.store (local.get $at) (f32.mul (f32.load (local.get $at)) (local.get $score)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $shares (i32.lt_u (local.get $at) (local.get $end))))
    (loop $columns
      (local.set $sum (v128.const f32x4 0 0 0 0))
      (local.set $at (local.get $row))
      (local.set $key (i32.add (local.get $values) (local.get $j)))
      (loop $mix
        (local.set $sum (f32x4.add (local.get $sum) (f32x4.mul (v128.load32_splat (local.get $at)) (v128.load (local.get $key)))))
        (local.set $key (i32.add (local.get $key) (local.get $stride)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if $mix (i32.lt_u (local.get $at) (local.get $end))))
      (v128.store (i32.add (local.get $out) (local.get $j)) (local.get $sum))
      (local.set $j (i32.add (local.get $j) (i32.const 16)))
      (br_if $columns (i32.lt_u (local.get $j) (local.get $head)))))

  (func (export "attendHeadsBackward")
    (param $q i32) (param $k i32) (param $v i32) (param $dq i32) (param $dk i32) (param $dv i32)
    (param $weights i32) (param $mixed i32) (param $dmixed i32) (param $spans i32) (param $count i32)
    (param $heads i32) (param $width i32) (param $query_stride i32) (param $key_stride i32) (param $scale f32) (param $causal i32)
    (local $end i32) (local $T i32) (local $S i32) (local $row i32) (local $h i32) (local $t i32)
    (local $query i32) (local $key i32) (local $out i32) (local $seen i32) (local $head i32) (local $model i32)
    (local.set $head (i32.shl (local.get $width) (i32.const 2)))
    (local.set $model (i32.mul (local.get $head) (local.get $heads)))
    (local.set $end (i32.add (local.get $spans) (i32.mul (local.get $count) (i32.const 20))))
    (loop $sequences
      (local.set $T (i32.load offset=4 (local.get $spans)))
      (local.set $S (i32.load offset=12 (local.get $spans)))
      (local.set $row (i32.add (local.get $weights) (i32.shl (i32.load offset=16 (local.get $spans)) (i32.const 2))))
      (local.set $h (i32.const 0))
      (loop $each_head
        (local.set $query (i32.add (i32.mul (local.get $h) (local.get $head)) (i32.mul (i32.load (local.get $spans)) (local.get $query_stride))))
        (local.set $out (i32.add (i32.mul (local.get $h) (local.get $head)) (i32.mul (i32.load (local.get $spans)) (local.get $model))))
        (local.set $key (i32.add (i32.mul (local.get $h) (local.get $head)) (i32.mul (i32.load offset=8 (local.get $spans)) (local.get $key_stride))))
        (local.set $t (i32.const 0))
        (loop $queries
          (local.set $seen (select (i32.add (local.get $t) (i32.const 1)) (local.get $S) (local.get $causal)))
          (call $read_backward
            (i32.add (local.get $q) (local.get $query)) (i32.add (local.get $k) (local.get $key)) (i32.add (local.get $v) (local.get $key))
            (i32.add (local.get $dq) (local.get $query)) (i32.add (local.get $dk) (local.get $key)) (i32.add (local.get $dv) (local.get $key))
            (local.get $row) (i32.add (local.get $mixed) (local.get $out)) (i32.add (local.get $dmixed) (local.get $out))
            (local.get $seen) (local.get $head) (local.get $key_stride) (local.get $scale))
          (local.set $row (i32.add (local.get $row) (i32.shl (local.get $S) (i32.const 2))))
          (local.set $query (i32.add (local.get $query) (local.get $query_stride)))
          (local.set $out (i32.add (local.get $out) (local.get $model)))
          (local.set $t (i32.add (local.get $t) (i32.const 1)))
          (br_if $queries (i32.lt_s (local.get $t) (local.get $T))))
        (local.set $h (i32.add (local.get $h) (i32.const 1)))
        (br_if $each_head (i32.lt_s (local.get $h) (local.get $heads))))
      (local.set $spans (i32.add (local.get $spans) (i32.const 20)))
      (br_if $sequences (i32.lt_u (local.get $spans) (local.get $end)))))

  (func $read_backward
    (param $query i32) (param $k i32) (param $v i32) (param $dquery i32) (param $dk i32) (param $dv i32)
    (param $row i32) (param $mixed i32) (param $dmixed i32)
    (param $seen i32) (param $head i32) (param $stride i32) (param $scale f32)
    (local $end i32) (local $j i32) (local $mean f32) (local $weight v128) (local $dscore v128) (local $x v128)
    (local.set $end (i32.add (local.get $row) (i32.shl (local.get $seen) (i32.const 2))))
    (local.set $mean (call $dot (local.get $dmixed) (local.get $mixed) (local.get $head)))
    (loop $keys
      (local.set $weight (v128.load32_splat (local.get $row)))
      (local.set $dscore (f32x4.mul (local.get $weight) (f32x4.splat (f32.mul (local.get $scale)
        (f32.sub (call $dot (local.get $dmixed) (local.get $v) (local.get $head)) (local.get $mean))))))
      (local.set $j (i32.const 0))
      (loop $columns
        (v128.store (i32.add (local.get $dv) (local.get $j)) (f32x4.add (v128.load (i32.add (local.get $dv) (local.get $j)))
          (f32x4.mul (local.get $weight) (v128.load (i32.add (local.get $dmixed) (local.get $j))))))
        (v128.store (i32.add (local.get $dquery) (local.get $j)) (f32x4.add (v128.load (i32.add (local.get $dquery) (local.get $j)))
          (f32x4.mul (local.get $dscore) (v128.load (i32.add (local.get $k) (local.get $j))))))
        (v128.store (i32.add (local.get $dk) (local.get $j)) (f32x4.add (v128.load (i32.add (local.get $dk) (local.get $j)))
          (f32x4.mul (local.get $dscore) (v128.load (i32.add (local.get $query) (local.get $j))))))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br_if $columns (i32.lt_u (local.get $j) (local.get $head))))
      (local.set $k (i32.add (local.get $k) (local.get $stride)))
      (local.set $v (i32.add (local.get $v) (local.get $stride)))
      (local.set $dk (i32.add (local.get $dk) (local.get $stride)))
      (local.set $dv (i32.add (local.get $dv) (local.get $stride)))
      (local.set $row (i32.add (local.get $row) (i32.const 4)))
      (br_if $keys (i32.lt_u (local.get $row) (local.get $end)))))

  ;; ---------------------------------------------------------------------------------------------------- norm.js

  (func (export "normForward")
    (param $x i32) (param $gamma i32) (param $beta i32) (param $normal i32) (param $scale i32) (param $y i32)
    (param $count i32) (param $width i32)
    (local $row i32) (local $j i32) (local $sum v128) (local $mean v128) (local $s f32) (local $one v128)
    (local.set $row (i32.shl (local.get $width) (i32.const 2)))
    (loop $rows
      (local.set $sum (v128.const f32x4 0 0 0 0))
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $sum (f32x4.add (local.get $sum) (v128.load (i32.add (local.get $x) (local.get $j)))))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br_if $columns (i32.lt_u (local.get $j) (local.get $row))))
      (local.set $mean (f32x4.splat (f32.div (call $total (local.get $sum)) (f32.convert_i32_s (local.get $width)))))
      (local.set $sum (v128.const f32x4 0 0 0 0))
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $one (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $j))) (local.get $mean)))
        (local.set $sum (f32x4.add (local.get $sum) (f32x4.mul (local.get $one) (local.get $one))))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br_if $columns (i32.lt_u (local.get $j) (local.get $row))))
      (local.set $s (f32.div (f32.const 1) (f32.sqrt (f32.add
        (f32.div (call $total (local.get $sum)) (f32.convert_i32_s (local.get $width))) (f32.const 1e-5)))))
      (f32.store (local.get $scale) (local.get $s))
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $one (f32x4.mul (f32x4.splat (local.get $s))
          (f32x4.sub (v128.load (i32.add (local.get $x) (local.get $j))) (local.get $mean))))
        (v128.store (i32.add (local.get $normal) (local.get $j)) (local.get $one))
        (v128.store (i32.add (local.get $y) (local.get $j)) (f32x4.add (v128.load (i32.add (local.get $beta) (local.get $j)))
          (f32x4.mul (local.get $one) (v128.load (i32.add (local.get $gamma) (local.get $j))))))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br_if $columns (i32.lt_u (local.get $j) (local.get $row))))
      (local.set $x (i32.add (local.get $x) (local.get $row)))
      (local.set $y (i32.add (local.get $y) (local.get $row)))
      (local.set $normal (i32.add (local.get $normal) (local.get $row)))
      (local.set $scale (i32.add (local.get $scale) (i32.const 4)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $rows (local.get $count))))

  (func (export "normBackward")
    (param $dy i32) (param $gamma i32) (param $normal i32) (param $scale i32) (param $dx i32) (param $dgamma i32) (param $dbeta i32)
    (param $count i32) (param $width i32) (param $accumulate i32)
    (local $row i32) (local $j i32) (local $d v128) (local $one v128) (local $g v128) (local $s v128)
    (local $mean v128) (local $along v128) (local $old v128)
    (local.set $row (i32.shl (local.get $width) (i32.const 2)))
    (local.set $old (i32x4.splat (i32.sub (i32.const 0) (local.get $accumulate)))) ;; what stands in dx counts, or not
    (loop $rows
      (local.set $mean (v128.const f32x4 0 0 0 0))
      (local.set $along (v128.const f32x4 0 0 0 0))
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $d (v128.load (i32.add (local.get $dy) (local.get $j))))
        (local.set $one (v128.load (i32.add (local.get $normal) (local.get $j))))
        (local.set $g (f32x4.mul (local.get $d) (v128.load (i32.add (local.get $gamma) (local.get $j)))))
        (local.set $mean (f32x4.add (local.get $mean) (local.get $g)))
        (local.set $along (f32x4.add (local.get $along) (f32x4.mul (local.get $g) (local.get $one))))
        (v128.store (i32.add (local.get $dgamma) (local.get $j)) (f32x4.add (v128.load (i32.add (local.get $dgamma) (local.get $j)))
          (f32x4.mul (local.get $d) (local.get $one))))
        (v128.store (i32.add (local.get $dbeta) (local.get $j)) (f32x4.add (v128.load (i32.add (local.get $dbeta) (local.get $j))) (local.get $d)))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br_if $columns (i32.lt_u (local.get $j) (local.get $row))))
      (local.set $mean (f32x4.splat (f32.div (call $total (local.get $mean)) (f32.convert_i32_s (local.get $width)))))
      (local.set $along (f32x4.splat (f32.div (call $total (local.get $along)) (f32.convert_i32_s (local.get $width)))))
      (local.set $s (v128.load32_splat (local.get $scale)))
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $g (f32x4.mul (v128.load (i32.add (local.get $dy) (local.get $j))) (v128.load (i32.add (local.get $gamma) (local.get $j)))))
        (local.set $d (f32x4.mul (local.get $s) (f32x4.sub (f32x4.sub (local.get $g) (local.get $mean))
          (f32x4.mul (v128.load (i32.add (local.get $normal) (local.get $j))) (local.get $along)))))
        (v128.store (i32.add (local.get $dx) (local.get $j))
          (f32x4.add (local.get $d) (v128.and (v128.load (i32.add (local.get $dx) (local.get $j))) (local.get $old))))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br_if $columns (i32.lt_u (local.get $j) (local.get $row))))
      (local.set $dy (i32.add (local.get $dy) (local.get $row)))
      (local.set $dx (i32.add (local.get $dx) (local.get $row)))
      (local.set $normal (i32.add (local.get $normal) (local.get $row)))
      (local.set $scale (i32.add (local.get $scale) (i32.const 4)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $rows (local.get $count))))

  ;; ------------------------------------------------------------------------------- of linear.js and feed_forward.js

  ;; sums += each of `count` rows; 4 columns at a time
  (func (export "sumRows") (param $rows i32) (param $sums i32) (param $count i32) (param $width i32)
    (local $row i32) (local $at i32) (local $end i32) (local $last i32) (local $sum v128)
    (local.set $row (i32.shl (local.get $width) (i32.const 2)))
    (local.set $last (i32.add (local.get $sums) (local.get $row)))
    (loop $columns
      (local.set $sum (v128.load (local.get $sums)))
      (local.set $at (local.get $rows))
      (local.set $end (i32.add (local.get $rows) (i32.mul (local.get $count) (local.get $row))))
      (loop $down
        (local.set $sum (f32x4.add (local.get $sum) (v128.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (local.get $row)))
        (br_if $down (i32.lt_u (local.get $at) (local.get $end))))
      (v128.store (local.get $sums) (local.get $sum))
      (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
      (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
      (br_if $columns (i32.lt_u (local.get $sums) (local.get $last)))))

  ;; y = the numbers of x above 0, and for the gradient: dx = those of dy where x is above 0
  (func (export "above") (param $x i32) (param $dy i32) (param $dx i32) (param $count i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $count) (i32.const 2))))
    (loop $all
      (v128.store (local.get $dx) (v128.and
        (v128.load (local.get $dy)) (f32x4.gt (v128.load (local.get $x)) (v128.const f32x4 0 0 0 0))))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (local.set $dy (i32.add (local.get $dy) (i32.const 16)))
      (local.set $dx (i32.add (local.get $dx) (i32.const 16)))
      (br_if $all (i32.lt_u (local.get $x) (local.get $end)))))

  ;; ------------------------------------------------------------------------------------------------------ for both

  (func $dot (param $x i32) (param $y i32) (param $bytes i32) (result f32)
    (local $end i32) (local $sum v128)
    (local.set $end (i32.add (local.get $x) (local.get $bytes)))
    (loop $columns
      (local.set $sum (f32x4.add (local.get $sum) (f32x4.mul (v128.load (local.get $x)) (v128.load (local.get $y)))))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (br_if $columns (i32.lt_u (local.get $x) (local.get $end))))
    (call $total (local.get $sum)))

  (func $total (param $x v128) (result f32)
    (local.set $x (f32x4.add (local.get $x) (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x))))
    (f32.add (f32x4.extract_lane 0 (local.get $x)) (f32x4.extract_lane 1 (local.get $x))))

  ;; e^x for x ≤ 0, to 2e-7 of itself; 0 below −87. With n = round(x / ln 2) and r = x − n ln 2: 2ⁿ times the series of eʳ,
  ;; |r| ≤ 0.35. 2ⁿ is made of its exponent's bits.
  (func $exp (param $x v128) (result v128)
    (local $n v128) (local $r v128) (local $clamped v128)
    (local.set $clamped (f32x4.max (local.get $x) (f32x4.splat (f32.const -87))))
    (local.set $n (f32x4.nearest (f32x4.mul (local.get $clamped) (f32x4.splat (f32.const 1.44269504)))))
    ;; ln 2 in two parts, so that n ln 2 loses nothing
    (local.set $r (f32x4.sub
      (f32x4.sub (local.get $clamped) (f32x4.mul (local.get $n) (f32x4.splat (f32.const 0.693359375))))
      (f32x4.mul (local.get $n) (f32x4.splat (f32.const -2.12194440e-4)))))
    (local.set $clamped (f32x4.splat (f32.const 1.9841270e-4)))
    (local.set $clamped (f32x4.add (f32x4.mul (local.get $clamped) (local.get $r)) (f32x4.splat (f32.const 1.3888889e-3))))
    (local.set $clamped (f32x4.add (f32x4.mul (local.get $clamped) (local.get $r)) (f32x4.splat (f32.const 8.3333333e-3))))
    (local.set $clamped (f32x4.add (f32x4.mul (local.get $clamped) (local.get $r)) (f32x4.splat (f32.const 4.1666667e-2))))
    (local.set $clamped (f32x4.add (f32x4.mul (local.get $clamped) (local.get $r)) (f32x4.splat (f32.const 0.16666667))))
    (local.set $clamped (f32x4.add (f32x4.mul (local.get $clamped) (local.get $r)) (f32x4.splat (f32.const 0.5))))
    (local.set $clamped (f32x4.add (f32x4.mul (local.get $clamped) (local.get $r)) (f32x4.splat (f32.const 1))))
    (local.set $clamped (f32x4.add (f32x4.mul (local.get $clamped) (local.get $r)) (f32x4.splat (f32.const 1))))
    (v128.and
      (f32x4.mul
        (local.get $clamped)
        (i32x4.shl (i32x4.add (i32x4.trunc_sat_f32x4_s (local.get $n)) (i32x4.splat (i32.const 127))) (i32.const 23)))
      (f32x4.ge (local.get $x) (f32x4.splat (f32.const -87))))))
