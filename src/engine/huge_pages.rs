//! Asks the kernel for huge pages behind large arrays. The one `unsafe` block of the engine.
//!
//! # Why so
//! A placement writes some two hundred bytes of memory nobody has touched before. With 4 KiB pages the page faults for
//! them cost more than the decision itself on a virtual machine; a 2 MiB page is faulted in once for ten thousand
//! orders, and lookups all over the index miss the TLB less (`docs/BENCHMARKS.md`). Most systems give huge pages only
//! where they are asked for.

use core::mem::MaybeUninit;

/// Arrays below this many bytes stay on ordinary pages: a huge page behind a small array would waste most of itself.
const LARGE_ARRAY_BYTES: usize = 4 << 20;

/// An empty array with room for `capacity` elements, on huge pages if it is large and the kernel has them.
pub(super) fn array_with_capacity<T>(capacity: usize) -> Vec<T> {
    let mut array = Vec::with_capacity(capacity);
    advise(&mut array);
    array
}

/// The same, with every page of it already taken from the system, so that writing to it later never faults.
pub(super) fn touched_array<T>(capacity: usize) -> Vec<T> {
    let mut array = array_with_capacity(capacity);
    let elements_per_page = (rustix::param::page_size() / size_of::<T>().max(1)).max(1);
    for element in array.spare_capacity_mut().iter_mut().step_by(elements_per_page) {
        *element = MaybeUninit::zeroed();
    }
    array
}

/// Asks for huge pages behind the whole capacity. A kernel that has none says no, and nothing is lost.
#[expect(unsafe_code, reason = "madvise takes a raw address; measured to save more than a decision costs")]
fn advise<T>(array: &mut Vec<T>) {
    let bytes = array.spare_capacity_mut();
    if size_of_val(bytes) < LARGE_ARRAY_BYTES {
        return;
    }
    let page = rustix::param::page_size();
    let begin = (bytes.as_mut_ptr() as usize).next_multiple_of(page);
    let end = (bytes.as_mut_ptr() as usize + size_of_val(bytes)) / page * page;
    // Whole pages inside memory that `array` owns.
    let address = bytes.as_mut_ptr().wrapping_byte_add(begin - bytes.as_mut_ptr() as usize);
    // SAFETY: MADV_HUGEPAGE changes how the kernel backs the pages and never what they hold or who may read them, so no
    // reference, now or later, can observe it. The range is whole pages of one live allocation, so nothing else's
    // memory is meant either. An error leaves everything as it was.
    let _ = unsafe { rustix::mm::madvise(address.cast(), end - begin, rustix::mm::Advice::LinuxHugepage) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_on_huge_pages_holds_what_is_put_in() {
        for capacity in [0, 1, LARGE_ARRAY_BYTES / 8 - 1, LARGE_ARRAY_BYTES / 8, LARGE_ARRAY_BYTES] {
            for mut array in [array_with_capacity::<u64>(capacity), touched_array(capacity)] {
                array.extend(0..capacity as u64);
                assert!(array.iter().copied().eq(0..capacity as u64));
            }
        }
    }
}
