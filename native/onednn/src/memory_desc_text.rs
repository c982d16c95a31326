//! How a memory descriptor is printed.

use crate::MemoryDesc;
use onednn_sys::constants as c;
use std::fmt;

impl MemoryDesc {
    /// Layout in oneDNN's notation: letters are dimensions, outermost first; a capital letter is
    /// split into the blocks named at the end (`aBcd16b`).
    fn tag(&self) -> String {
        if self.is_empty() {
            return "empty".to_string();
        }
        match self.query_int(c::QUERY_FORMAT_KIND) {
            c::FORMAT_KIND_ANY => return "any".to_string(),
            c::FORMAT_KIND_BLOCKED => {}
            _ => return "opaque".to_string(),
        }
        let letter = |axis: i64| char::from(b'a' + axis as u8);
        let blocks = self.query_int(c::QUERY_INNER_NBLKS_S32) as usize;
        let (sizes, axes) =
            (self.query_dims(c::QUERY_INNER_BLKS), self.query_dims(c::QUERY_INNER_IDXS));
        let strides = self.query_dims(c::QUERY_STRIDES);
        let mut order: Vec<usize> = (0..self.rank()).collect();
        order.sort_by_key(|&axis| std::cmp::Reverse(strides[axis]));
        let mut tag = String::new();
        for axis in order {
            let split = axes[..blocks].contains(&(axis as i64));
            let name = letter(axis as i64);
            tag.push(if split { name.to_ascii_uppercase() } else { name });
        }
        for block in 0..blocks {
            tag.push_str(&format!("{}{}", sizes[block], letter(axes[block])));
        }
        tag
    }
}

impl fmt::Display for MemoryDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.data_type() {
            Some(data_type) => write!(f, "{data_type} {:?} {}", self.dims(), self.tag()),
            None => f.write_str("empty"),
        }
    }
}

impl fmt::Debug for MemoryDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryDesc({self})")
    }
}
