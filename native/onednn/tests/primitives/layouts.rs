use crate::support::{Tensor, any, plain, ready};
use onednn::{DataType, MemoryDesc};

/// Blocked in 16 channels, as convolutions like it: what oneDNN chooses for a 3x3 convolution.
fn blocked(dims: &[usize; 4]) -> MemoryDesc {
    use onednn::{Attr, PropKind, ops::convolution};
    let weights = any(&[dims[1], dims[1], 3, 3]);
    let mut config = convolution::Config::new(2);
    config.padding_l = vec![1, 1];
    config.padding_r = vec![1, 1];
    let src = any(dims);
    let prop = PropKind::ForwardTraining;
    convolution::forward(prop, &src, &weights, None, &src, &config, &Attr::new()).unwrap().src_md(0)
}

#[test]
fn a_round_trip_through_a_blocked_layout_changes_no_bit() {
    if !ready() {
        return;
    }
    // 19 channels do not fill the blocks, so the padding is exercised.
    let plain_tensor = Tensor::quarters(&[2, 19, 5, 7], 1);
    let there = blocked(&[2, 19, 5, 7]);
    // Before AVX the plain layout is the one that convolutions like.
    assert!(!there.is_plain() || onednn::effective_isa() == "sse41", "{there}");
    assert!(there.bytes() >= plain_tensor.md.bytes());
    let back = plain_tensor.to(&there).to(&plain_tensor.md);
    assert_eq!(back.bits(), plain_tensor.bits());
}

#[test]
fn bf16_keeps_what_fits_into_eight_bits() {
    if !ready() {
        return;
    }
    let tensor = Tensor::quarters(&[3, 5], 2);
    let half = tensor.to(&MemoryDesc::plain(&[3, 5], DataType::Bf16).unwrap());
    assert_eq!(half.md.bytes(), 30);
    assert_eq!(half.values(), tensor.values());
}

#[test]
fn descriptors_are_values() {
    if !ready() {
        return;
    }
    let a = plain(&[2, 3, 4]);
    assert_eq!(a, MemoryDesc::strided(&[2, 3, 4], &[12, 4, 1], DataType::F32).unwrap());
    assert_ne!(a, plain(&[2, 3, 5]));
    assert_ne!(a, MemoryDesc::plain(&[2, 3, 4], DataType::S32).unwrap());
    assert_ne!(a, any(&[2, 3, 4]));
    assert_eq!(a, a.clone());
    assert_eq!((a.dims(), a.rank(), a.bytes()), (vec![2, 3, 4], 3, 96));
    assert_eq!(a.data_type(), Some(DataType::F32));
    assert_eq!(a.strides(), Some(vec![12, 4, 1]));
    assert!(a.is_plain() && !a.is_any() && !a.is_empty());
    assert!(any(&[2]).is_any() && !any(&[2]).is_plain());

    let empty = MemoryDesc::empty().unwrap();
    assert!(empty.is_empty() && !empty.is_plain() && empty.bytes() == 0);
    assert_eq!(empty, empty.clone());
}

#[test]
fn a_descriptor_prints_its_type_sizes_and_layout() {
    if !ready() {
        return;
    }
    assert_eq!(plain(&[2, 3]).to_string(), "f32 [2, 3] ab");
    let transposed = MemoryDesc::strided(&[2, 3], &[1, 2], DataType::S8).unwrap();
    assert_eq!(format!("{transposed:?}"), "MemoryDesc(s8 [2, 3] ba)");
    assert_eq!(any(&[4]).to_string(), "f32 [4] any");
    assert_eq!(MemoryDesc::empty().unwrap().to_string(), "empty");
}

#[test]
fn reshape_and_permute_see_the_same_memory() {
    if !ready() {
        return;
    }
    let a = plain(&[2, 3, 4]);
    assert_eq!(a.reshape(&[6, 4]).unwrap(), plain(&[6, 4]));
    assert_eq!(a.reshape(&[2, 1, 12]).unwrap(), plain(&[2, 1, 12]));
    let turned = a.permute(&[1, 0, 2]).unwrap();
    assert_eq!((turned.dims(), turned.strides()), (vec![3, 2, 4], Some(vec![4, 12, 1])));
    assert!(!turned.is_plain());

    let t = Tensor::quarters(&[2, 3], 3);
    let view = Tensor { md: t.md.permute(&[1, 0]).unwrap(), slice: t.slice.clone() };
    let v = t.values();
    assert_eq!(view.values(), [v[0], v[3], v[1], v[4], v[2], v[5]]);
}

#[test]
fn a_batch_of_zero_takes_no_memory_and_runs() {
    if !ready() {
        return;
    }
    let nothing = Tensor::of(&[0, 3], &[]);
    assert_eq!(nothing.md.bytes(), 0);
    assert!(!nothing.md.is_empty() && nothing.md.is_plain());
    assert!(nothing.values().is_empty());
}
