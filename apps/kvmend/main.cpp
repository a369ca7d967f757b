#include <cstdio>
int main() { std::puts("kvmend"); }
