// SPDX-License-Identifier: Apache-2.0
#include "base/slab_pool.h"

#include <sys/mman.h>

#include "base/check.h"

namespace weir {

SlabPool::SlabPool(std::size_t capacity) : capacity_(capacity) {
  void* region = mmap(nullptr, capacity_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(region != MAP_FAILED);
  madvise(region, capacity_, MADV_HUGEPAGE);  // Where it is refused, pages are small.
  region_ = static_cast<std::uint8_t*>(region);
}

SlabPool::~SlabPool() { munmap(region_, capacity_); }

void* SlabPool::carve(std::size_t c) {
  const std::size_t size = size_of(c);
  if (capacity_ - carved_ < size) return nullptr;
  void* block = region_ + carved_;
  carved_ += size;
  used_ += size;
  return block;
}

}  // namespace weir
