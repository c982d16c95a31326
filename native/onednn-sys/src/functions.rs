//! The table of functions.

use std::ffi::{c_int, c_uint, c_void};

use crate::types::{
    Dim, Engine, ExecArg, Handle, Memory, MemoryDesc, PostOps, Primitive, PrimitiveAttr,
    PrimitiveDesc, Status, Stream, Version,
};

/// See [`Functions::gomp_parallel`].
pub type GompParallel =
    unsafe extern "C" fn(extern "C" fn(*mut c_void), *mut c_void, c_uint, c_uint);

/// Declares the struct of function pointers and the function that fills it from symbol names.
macro_rules! functions {
    ($($name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)?;)*) => {
        /// Pointers to the functions of one loaded oneDNN. Each field is called like its C function
        /// without `dnnl_`.
        ///
        /// The library is never unloaded, so the pointers stay valid until the process ends.
        #[derive(Clone, Copy)]
        pub struct Functions {
            $(
                #[doc = concat!("`dnnl_", stringify!($name), "`(", stringify!($($arg),*), ")")]
                pub $name: unsafe extern "C" fn($($arg: $type),*) $(-> $ret)?,
            )*
            /// `omp_set_num_threads` of the OpenMP library that oneDNN uses; absent when it was
            /// built without OpenMP.
            pub omp_set_num_threads: Option<unsafe extern "C" fn(c_int)>,
            /// `GOMP_parallel` of GNU's OpenMP library: calls a function with the given pointer on
            /// each of so many threads (the flags are 0); absent in other libraries.
            pub gomp_parallel: Option<GompParallel>,
        }

        impl Functions {
            /// Fills the table; `symbol` returns the address of a C name, or what went wrong.
            ///
            /// # Safety
            /// Every address that `symbol` returns is that of the oneDNN v3 function (or OpenMP
            /// function) of that name and stays valid until the process ends.
            pub(crate) unsafe fn from_symbols<E>(
                symbol: impl Fn(&str) -> Result<*mut c_void, E>,
            ) -> Result<Functions, E> {
                Ok(Functions {
                    $($name: {
                        let address = symbol(concat!("dnnl_", stringify!($name)))?;
                        // SAFETY: the caller promises that the address is that of the function of
                        // this name, whose C declaration is the one above; data and function
                        // pointers have the same size.
                        unsafe {
                            std::mem::transmute::<
                                *mut c_void,
                                unsafe extern "C" fn($($arg: $type),*) $(-> $ret)?,
                            >(address)
                        }
                    },)*
                    omp_set_num_threads: symbol("omp_set_num_threads").ok().map(|address| {
                        // SAFETY: the caller promises that the address is `void
                        // omp_set_num_threads(int)`.
                        unsafe {
                            std::mem::transmute::<*mut c_void, unsafe extern "C" fn(c_int)>(address)
                        }
                    }),
                    gomp_parallel: symbol("GOMP_parallel").ok().map(|address| {
                        // SAFETY: the caller promises that the address is `void
                        // GOMP_parallel(void (*)(void *), void *, unsigned, unsigned)`.
                        unsafe { std::mem::transmute::<*mut c_void, GompParallel>(address) }
                    }),
                })
            }
        }
    };
}

functions! {
    version() -> *const Version;
    get_effective_cpu_isa() -> c_int;
    set_primitive_cache_capacity(capacity: c_int) -> Status;

    engine_create(engine: *mut *mut Engine, kind: c_int, index: usize) -> Status;
    stream_create(stream: *mut *mut Stream, engine: *mut Engine, flags: c_uint) -> Status;
    stream_destroy(stream: *mut Stream) -> Status;

    memory_desc_create_with_strides(
        desc: *mut *mut MemoryDesc, ndims: c_int, dims: *const Dim, data_type: c_int,
        strides: *const Dim,
    ) -> Status;
    memory_desc_create_with_tag(
        desc: *mut *mut MemoryDesc, ndims: c_int, dims: *const Dim, data_type: c_int, tag: c_int,
    ) -> Status;
    memory_desc_clone(desc: *mut *mut MemoryDesc, existing: *const MemoryDesc) -> Status;
    memory_desc_destroy(desc: *mut MemoryDesc) -> Status;
    memory_desc_reshape(
        out: *mut *mut MemoryDesc, desc: *const MemoryDesc, ndims: c_int, dims: *const Dim,
    ) -> Status;
    memory_desc_permute_axes(
        out: *mut *mut MemoryDesc, desc: *const MemoryDesc, permutation: *const c_int,
    ) -> Status;
    memory_desc_query(desc: *const MemoryDesc, what: c_int, result: *mut c_void) -> Status;
    memory_desc_equal(lhs: *const MemoryDesc, rhs: *const MemoryDesc) -> c_int;
    memory_desc_get_size(desc: *const MemoryDesc) -> usize;

    memory_create(
        memory: *mut *mut Memory, desc: *const MemoryDesc, engine: *mut Engine, handle: Handle,
    ) -> Status;
    memory_set_data_handle(memory: *mut Memory, handle: Handle) -> Status;
    memory_destroy(memory: *mut Memory) -> Status;

    primitive_attr_create(attr: *mut *mut PrimitiveAttr) -> Status;
    primitive_attr_destroy(attr: *mut PrimitiveAttr) -> Status;
    primitive_attr_set_scratchpad_mode(attr: *mut PrimitiveAttr, mode: c_int) -> Status;
    primitive_attr_set_post_ops(attr: *mut PrimitiveAttr, post_ops: *const PostOps) -> Status;
    post_ops_create(post_ops: *mut *mut PostOps) -> Status;
    post_ops_destroy(post_ops: *mut PostOps) -> Status;
    post_ops_append_sum(
        post_ops: *mut PostOps, scale: f32, zero_point: i32, data_type: c_int,
    ) -> Status;
    post_ops_append_eltwise(
        post_ops: *mut PostOps, algorithm: c_int, alpha: f32, beta: f32,
    ) -> Status;
    post_ops_append_binary(
        post_ops: *mut PostOps, algorithm: c_int, src1: *const MemoryDesc,
    ) -> Status;

    primitive_desc_destroy(desc: *mut PrimitiveDesc) -> Status;
    primitive_desc_query(
        desc: *const PrimitiveDesc, what: c_int, index: c_int, result: *mut c_void,
    ) -> Status;
    primitive_desc_query_md(
        desc: *const PrimitiveDesc, what: c_int, index: c_int,
    ) -> *const MemoryDesc;
    primitive_create(primitive: *mut *mut Primitive, desc: *const PrimitiveDesc) -> Status;
    primitive_execute(
        primitive: *const Primitive, stream: *mut Stream, nargs: c_int, args: *const ExecArg,
    ) -> Status;
    primitive_destroy(primitive: *mut Primitive) -> Status;

    convolution_forward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int, algorithm: c_int,
        src: *const MemoryDesc, weights: *const MemoryDesc, bias: *const MemoryDesc,
        dst: *const MemoryDesc, strides: *const Dim, dilates: *const Dim, padding_l: *const Dim,
        padding_r: *const Dim, attr: *const PrimitiveAttr,
    ) -> Status;
    convolution_backward_data_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        diff_src: *const MemoryDesc, weights: *const MemoryDesc, diff_dst: *const MemoryDesc,
        strides: *const Dim, dilates: *const Dim, padding_l: *const Dim, padding_r: *const Dim,
        hint: *const PrimitiveDesc, attr: *const PrimitiveAttr,
    ) -> Status;
    convolution_backward_weights_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        src: *const MemoryDesc, diff_weights: *const MemoryDesc, diff_bias: *const MemoryDesc,
        diff_dst: *const MemoryDesc, strides: *const Dim, dilates: *const Dim,
        padding_l: *const Dim, padding_r: *const Dim, hint: *const PrimitiveDesc,
        attr: *const PrimitiveAttr,
    ) -> Status;

    deconvolution_forward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int, algorithm: c_int,
        src: *const MemoryDesc, weights: *const MemoryDesc, bias: *const MemoryDesc,
        dst: *const MemoryDesc, strides: *const Dim, dilates: *const Dim, padding_l: *const Dim,
        padding_r: *const Dim, attr: *const PrimitiveAttr,
    ) -> Status;
    deconvolution_backward_data_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        diff_src: *const MemoryDesc, weights: *const MemoryDesc, diff_dst: *const MemoryDesc,
        strides: *const Dim, dilates: *const Dim, padding_l: *const Dim, padding_r: *const Dim,
        hint: *const PrimitiveDesc, attr: *const PrimitiveAttr,
    ) -> Status;
    deconvolution_backward_weights_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        src: *const MemoryDesc, diff_weights: *const MemoryDesc, diff_bias: *const MemoryDesc,
        diff_dst: *const MemoryDesc, strides: *const Dim, dilates: *const Dim,
        padding_l: *const Dim, padding_r: *const Dim, hint: *const PrimitiveDesc,
        attr: *const PrimitiveAttr,
    ) -> Status;

    pooling_forward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int, algorithm: c_int,
        src: *const MemoryDesc, dst: *const MemoryDesc, strides: *const Dim, kernel: *const Dim,
        dilation: *const Dim, padding_l: *const Dim, padding_r: *const Dim,
        attr: *const PrimitiveAttr,
    ) -> Status;
    pooling_backward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        diff_src: *const MemoryDesc, diff_dst: *const MemoryDesc, strides: *const Dim,
        kernel: *const Dim, dilation: *const Dim, padding_l: *const Dim, padding_r: *const Dim,
        hint: *const PrimitiveDesc, attr: *const PrimitiveAttr,
    ) -> Status;

    inner_product_forward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int,
        src: *const MemoryDesc, weights: *const MemoryDesc, bias: *const MemoryDesc,
        dst: *const MemoryDesc, attr: *const PrimitiveAttr,
    ) -> Status;
    inner_product_backward_data_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, diff_src: *const MemoryDesc,
        weights: *const MemoryDesc, diff_dst: *const MemoryDesc, hint: *const PrimitiveDesc,
        attr: *const PrimitiveAttr,
    ) -> Status;
    inner_product_backward_weights_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, src: *const MemoryDesc,
        diff_weights: *const MemoryDesc, diff_bias: *const MemoryDesc, diff_dst: *const MemoryDesc,
        hint: *const PrimitiveDesc, attr: *const PrimitiveAttr,
    ) -> Status;

    matmul_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, src: *const MemoryDesc,
        weights: *const MemoryDesc, bias: *const MemoryDesc, dst: *const MemoryDesc,
        attr: *const PrimitiveAttr,
    ) -> Status;

    batch_normalization_forward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int,
        src: *const MemoryDesc, dst: *const MemoryDesc, epsilon: f32, flags: c_uint,
        attr: *const PrimitiveAttr,
    ) -> Status;
    batch_normalization_backward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int,
        diff_src: *const MemoryDesc, diff_dst: *const MemoryDesc, src: *const MemoryDesc,
        epsilon: f32, flags: c_uint, hint: *const PrimitiveDesc, attr: *const PrimitiveAttr,
    ) -> Status;

    layer_normalization_forward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int,
        src: *const MemoryDesc, dst: *const MemoryDesc, stat: *const MemoryDesc, epsilon: f32,
        flags: c_uint, attr: *const PrimitiveAttr,
    ) -> Status;
    layer_normalization_backward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int,
        diff_src: *const MemoryDesc, diff_dst: *const MemoryDesc, src: *const MemoryDesc,
        stat: *const MemoryDesc, epsilon: f32, flags: c_uint, hint: *const PrimitiveDesc,
        attr: *const PrimitiveAttr,
    ) -> Status;

    lrn_forward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int, algorithm: c_int,
        src: *const MemoryDesc, dst: *const MemoryDesc, local_size: Dim, alpha: f32, beta: f32,
        k: f32, attr: *const PrimitiveAttr,
    ) -> Status;
    lrn_backward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        diff_src: *const MemoryDesc, diff_dst: *const MemoryDesc, src: *const MemoryDesc,
        local_size: Dim, alpha: f32, beta: f32, k: f32, hint: *const PrimitiveDesc,
        attr: *const PrimitiveAttr,
    ) -> Status;

    eltwise_forward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int, algorithm: c_int,
        src: *const MemoryDesc, dst: *const MemoryDesc, alpha: f32, beta: f32,
        attr: *const PrimitiveAttr,
    ) -> Status;
    eltwise_backward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        diff_src: *const MemoryDesc, diff_dst: *const MemoryDesc, data: *const MemoryDesc,
        alpha: f32, beta: f32, hint: *const PrimitiveDesc, attr: *const PrimitiveAttr,
    ) -> Status;

    softmax_forward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, prop_kind: c_int, algorithm: c_int,
        src: *const MemoryDesc, dst: *const MemoryDesc, axis: c_int, attr: *const PrimitiveAttr,
    ) -> Status;
    softmax_backward_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        diff_src: *const MemoryDesc, diff_dst: *const MemoryDesc, dst: *const MemoryDesc,
        axis: c_int, hint: *const PrimitiveDesc, attr: *const PrimitiveAttr,
    ) -> Status;

    binary_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        src0: *const MemoryDesc, src1: *const MemoryDesc, dst: *const MemoryDesc,
        attr: *const PrimitiveAttr,
    ) -> Status;
    reduction_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, algorithm: c_int,
        src: *const MemoryDesc, dst: *const MemoryDesc, p: f32, eps: f32,
        attr: *const PrimitiveAttr,
    ) -> Status;
    concat_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, dst: *const MemoryDesc, n: c_int,
        axis: c_int, srcs: *const *const MemoryDesc, attr: *const PrimitiveAttr,
    ) -> Status;
    sum_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, engine: *mut Engine, dst: *const MemoryDesc, n: c_int,
        scales: *const f32, srcs: *const *const MemoryDesc, attr: *const PrimitiveAttr,
    ) -> Status;
    reorder_primitive_desc_create(
        desc: *mut *mut PrimitiveDesc, src: *const MemoryDesc, src_engine: *mut Engine,
        dst: *const MemoryDesc, dst_engine: *mut Engine, attr: *const PrimitiveAttr,
    ) -> Status;
}
