/* Philox-4x32 with ten rounds (Salmon et al., SC 2011), as draws.py writes it in tensor operations. */
#include <stdint.h>

/* `count` words for each row (seed, epoch, index, stream); the counter's last word holds the block and index >> 32. */
void words(const int64_t *draw, int64_t rows, int64_t count, int64_t *out) {
    for (int64_t row = 0; row < rows; row++, draw += 4) {
        for (int64_t block = 0; 4 * block < count; block++) {
            const uint64_t seed = (uint64_t)draw[0], index = (uint64_t)draw[2];
            uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
            uint32_t c[4] = {(uint32_t)index, (uint32_t)draw[1], (uint32_t)draw[3], (uint32_t)block | (uint32_t)((index >> 32) << 16)};
            for (int round = 0; round < 10; round++, key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u) {
                const uint64_t a = (uint64_t)c[0] * 0xD2511F53u, b = (uint64_t)c[2] * 0xCD9E8D57u;
                const uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ key[0], (uint32_t)b,
                                          (uint32_t)(a >> 32) ^ c[3] ^ key[1], (uint32_t)a};
                for (int i = 0; i < 4; i++) c[i] = next[i];
            }
            for (int64_t i = 0; i < 4 && 4 * block + i < count; i++) out[row * count + 4 * block + i] = c[i];
        }
    }
}
