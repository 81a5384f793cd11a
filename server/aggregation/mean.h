// The mean of a round's updates, read in blocks, so that a form need not store it as a vector.
#pragma once
#include <cstddef>
#include <span>

namespace hansa::server {

class Mean {
 public:
  virtual ~Mean() = default;
  [[nodiscard]] virtual std::size_t elements() const = 0;
  // Writes the values first, first + 1, ... to out; first + out.size() <= elements(). Thread-safe. A value has the same
  // bits in every block that contains it.
  virtual void read(std::size_t first, std::span<double> out) const = 0;
};

// The mean of one vector, if updates are the concatenation of several. `whole` must outlive it.
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
