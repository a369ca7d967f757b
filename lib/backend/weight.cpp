#include "backend/weight.h"

namespace kvmend {

std::string_view stored_type_name(StoredType type) {
  switch (type) {
    case StoredType::f32: return "F32";
    case StoredType::f16: return "F16";
    case StoredType::bf16: return "BF16";
    case StoredType::q8_0: return "Q8_0";
    case StoredType::q4_0: return "Q4_0";
    case StoredType::q4_1: return "Q4_1";
    case StoredType::q5_0: return "Q5_0";
    case StoredType::q5_1: return "Q5_1";
    case StoredType::q2_k: return "Q2_K";
    case StoredType::q3_k: return "Q3_K";
    case StoredType::q4_k: return "Q4_K";
    case StoredType::q5_k: return "Q5_K";
    case StoredType::q6_k: return "Q6_K";
  }
  return "?";
}

}  // namespace kvmend
