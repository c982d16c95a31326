use crate::support::{Tensor, any, bind, plain, ready};
use onednn::ops::{batch_normalization, convolution, matmul, pooling};
use onednn::{Attr, Bound, DataType, Error, MemoryDesc, Primitive, PropKind, Status, arg};
use std::sync::Arc;
use tensor::{Buffer, SharedSlice};

fn square() -> Primitive {
    let md = plain(&[4, 4]);
    Primitive::new(&matmul::forward(&md, &md, None, &md, &Attr::new()).unwrap()).unwrap()
}

#[test]
fn memory_that_is_too_small_is_refused() {
    if !ready() {
        return;
    }
    let mut bound = Bound::new(&square(), &[(arg::SRC, &plain(&[4, 4]))]).unwrap();
    let small = SharedSlice::new(&Arc::new(Buffer::new(64).unwrap()), 0, 60).unwrap();
    let error = bound.set(0, &small).unwrap_err();
    assert!(matches!(error, Error::TooSmall { expected: 64, got: 60, .. }), "{error:?}");
    assert!(error.to_string().contains("SRC needs 64 bytes, got 60"), "{error}");
    let error = bound.set(1, &small).unwrap_err();
    assert!(matches!(error, Error::Index { index: 1, count: 1, .. }), "{error:?}");
}

#[test]
fn an_argument_without_memory_is_refused() {
    if !ready() {
        return;
    }
    let md = plain(&[4, 4]);
    let args = [(arg::SRC, &md), (arg::WEIGHTS, &md), (arg::DST, &md)];
    let mut bound = Bound::new(&square(), &args).unwrap();
    bound.set(0, &Tensor::new(md.clone()).slice).unwrap();
    let error = bound.execute().unwrap_err();
    assert!(error.to_string().contains("WEIGHTS has no memory"), "{error}");
}

#[test]
fn an_argument_of_another_layout_or_that_does_not_exist_is_refused() {
    if !ready() {
        return;
    }
    let turned = MemoryDesc::strided(&[4, 4], &[1, 4], DataType::F32).unwrap();
    let error = Bound::new(&square(), &[(arg::SRC, &turned)]).unwrap_err();
    assert!(matches!(error, Error::Argument { .. }), "{error:?}");
    assert!(error.to_string().contains("SRC was bound as f32 [4, 4] ba"), "{error}");
    let error = Bound::new(&square(), &[(arg::BIAS, &plain(&[1, 4]))]).unwrap_err();
    assert!(error.to_string().contains("expected empty"), "{error}");
}

#[test]
fn a_missing_argument_is_refused_at_execution() {
    if !ready() {
        return;
    }
    let a = Tensor::quarters(&[4, 4], 1);
    let mut bound = bind(square().desc(), &[(arg::SRC, &a), (arg::DST, &a)]);
    let error = bound.execute().unwrap_err();
    let Error::Status { status, detail, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*status, Status::InvalidArguments);
    assert!(detail.contains("SRC, DST"), "{error}");
}

#[test]
fn shapes_that_do_not_fit_are_named_in_the_error() {
    if !ready() {
        return;
    }
    let (a, b) = (plain(&[2, 3]), plain(&[4, 5]));
    let error = matmul::forward(&a, &b, None, &plain(&[2, 5]), &Attr::new()).unwrap_err();
    assert!(matches!(error, Error::Status { status: Status::InvalidArguments, .. }), "{error:?}");
    assert!(error.to_string().contains("src f32 [2, 3] ab, weights f32 [4, 5] ab"), "{error}");
}

#[test]
fn settings_of_the_wrong_length_or_value_are_refused() {
    if !ready() {
        return;
    }
    let (src, weights, dst) = (any(&[1, 2, 4, 4]), any(&[3, 2, 3, 3]), any(&[1, 3, 2, 2]));
    let forward = |config: &convolution::Config| {
        let prop = PropKind::ForwardInference;
        convolution::forward(prop, &src, &weights, None, &dst, config, &Attr::new()).map(|_| ())
    };
    assert_eq!(forward(&convolution::Config::new(2)), Ok(()));
    let error = Error::Dims { what: "dilations", expected: 2, got: 1 };
    assert_eq!(forward(&convolution::Config::new(1)), Err(error));
    let no_stride = convolution::Config { strides: vec![0; 2], ..convolution::Config::new(2) };
    assert!(forward(&no_stride).is_err());
    let no_step = convolution::Config { dilations: vec![0; 2], ..convolution::Config::new(2) };
    assert!(forward(&no_step).is_err());
    let config = pooling::Config::new(pooling::Algorithm::Max, &[2]);
    let prop = PropKind::ForwardInference;
    assert!(pooling::forward(prop, &src, &src, &config, &Attr::new()).is_err());
}

#[test]
fn impossible_shapes_are_errors() {
    if !ready() {
        return;
    }
    let thirteen = MemoryDesc::plain(&[1; 13], DataType::F32);
    assert!(matches!(thirteen, Err(Error::Dims { expected: 12, got: 13, .. })), "{thirteen:?}");
    assert!(MemoryDesc::plain(&[usize::MAX], DataType::F32).is_err());
    assert!(MemoryDesc::strided(&[2, 2], &[1], DataType::F32).is_err());
    assert!(plain(&[2, 3]).reshape(&[7]).is_err());
    assert!(plain(&[2, 3]).permute(&[0]).is_err());
    assert!(plain(&[2, 3]).permute(&[0, 0]).is_err());
    assert!(plain(&[2, 3]).permute(&[0, 5]).is_err());
}

#[test]
fn a_combination_without_code_is_unimplemented() {
    if !ready() {
        return;
    }
    let md = MemoryDesc::plain(&[1, 1, 4, 4], DataType::S32).unwrap();
    let config = batch_normalization::Config::default();
    let prop = PropKind::ForwardTraining;
    let error = batch_normalization::forward(prop, &md, &md, &config, &Attr::new()).unwrap_err();
    assert!(matches!(error, Error::Unimplemented { .. }), "{error:?}");
    assert!(error.to_string().contains("src s32 [1, 1, 4, 4] abcd"), "{error}");
}

#[test]
fn a_hint_of_another_operation_is_refused() {
    if !ready() {
        return;
    }
    let md = plain(&[1, 1, 4, 4]);
    let config = pooling::Config::new(pooling::Algorithm::Max, &[1, 1]);
    let error = pooling::backward(&md, &md, &config, square().desc()).unwrap_err();
    assert!(matches!(error, Error::Hint { got: "matmul_primitive_desc_create", .. }), "{error:?}");
}
