// An object of the HDF5 library, closed at the end of its scope.
#pragma once
#include <cstdint>
#include <utility>

namespace hansa::learning::kinds {

using Hdf5Id = std::int64_t;  // hid_t

class Hdf5Handle {
 public:
  using Close = int (*)(Hdf5Id);
  Hdf5Handle(Hdf5Id id, Close close) : id_(id), close_(close) {}
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  [[nodiscard]] Hdf5Id get() const { return id_; }
  [[nodiscard]] explicit operator bool() const { return id_ >= 0; }

 private:
  Hdf5Id id_;
  Close close_;
};

}  // namespace hansa::learning::kinds
