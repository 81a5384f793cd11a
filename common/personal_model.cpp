#include "common/personal_model.h"

namespace hansa {

PersonalModel personal_model_of(const Method& method) {
  const bool is_present = method.name == "ditto" || !training_config({}, method).personal.empty();
  return is_present ? PersonalModel::present : PersonalModel::absent;
}

}  // namespace hansa
