#include "learning/data/kinds/hdf5/error_stack.h"

#include <type_traits>

#include <hdf5.h>

#include "common/text.h"

namespace hansa::learning::kinds {

static_assert(std::is_same_v<hid_t, Hdf5Id> && std::is_same_v<herr_t, int>);

Hdf5Quiet::Hdf5Quiet() {
  H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Quiet::~Hdf5Quiet() { H5Eset_auto2(H5E_DEFAULT, print_, data_); }

std::string hdf5_message() {
  std::string out;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned number, const H5E_error2_t* error, void* message) -> herr_t {
        if (number == 0 && error->desc != nullptr) *static_cast<std::string*>(message) = error->desc;
        return 0;
      },
      &out);
  out.resize(utf8_prefix(out, 160));
  return printable(out);
}

}  // namespace hansa::learning::kinds
