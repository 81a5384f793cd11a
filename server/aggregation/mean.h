// The mean of a round's updates, read in blocks, so that no form has to write it out as a vector of its own.
#pragma once
#include <cstddef>
#include <span>

namespace hansa::server {

class Mean {
 public:
  virtual ~Mean() = default;
  [[nodiscard]] virtual std::size_t elements() const = 0;
  // The values first, first + 1, ... into out; first + out.size() <= elements(). Thread-safe: several threads read
  // blocks at the same time. The same place gives the same bits, whatever the blocks.
  virtual void read(std::size_t first, std::span<double> out) const = 0;
};

// A part of a mean: the values of one vector where an update is several, one after the other. `whole` outlives it.
class PartOfMean final : public Mean {
 public:
  PartOfMean(const Mean& whole, std::size_t first, std::size_t elements)
      : whole_(whole), first_(first), elements_(elements) {}
  [[nodiscard]] std::size_t elements() const override { return elements_; }
  void read(std::size_t first, std::span<double> out) const override { whole_.read(first_ + first, out); }

 private:
  const Mean& whole_;
  std::size_t first_;
  std::size_t elements_;
};

}  // namespace hansa::server
