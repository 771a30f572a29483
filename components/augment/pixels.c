/* Colour steps on planes of floats in 0..1, for processors: what a sample is due is done in one pass over its pixels.

Every operation is rounded by itself, in the order of the tensor form in planes.py, so the two agree to the last bit:
build without contraction into fused multiply-adds (-ffp-contract=off). Images lie at images + i * by_image + c * by_plane,
each plane in one piece.
*/
#include <math.h>
#include <stdint.h>
#include <string.h>

#define TILE 1024 /* pixels: three planes of them stay in the first-level cache */
#define NUMBERS 6 /* that an operation may take */
#define UNIT ((float)(1.0 / 255.0))
#define PIECE 256 /* pixels of a line */
#define MOST_TAPS 512 /* of one side of a blur */

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) /* where the loader chooses among versions */
#define FOR_EVERY_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EVERY_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

enum { KEEP, BRIGHTNESS, CONTRAST, SATURATION, HUE, GRAY, SOLARIZE, NORMALIZE };

INLINE float larger(float a, float b) { return a > b ? a : b; }
INLINE float smaller(float a, float b) { return a < b ? a : b; }
INLINE float unit(float x) { return smaller(larger(x, 0.0f), 1.0f); }
INLINE float luma(float r, float g, float b) { return r * 0.2989f + g * 0.587f + b * 0.114f; }
INLINE float turned(float chroma, float sixths, float hue, float half, float low, float least, float most) {
    return smaller(larger(fabsf(fabsf(chroma * sixths + hue) - half) - low, least), most);
}

INLINE void change(int what, const float *n, float mean, float *restrict r, float *restrict g, float *restrict b, int64_t count) {
    switch (what) {
    case BRIGHTNESS:
        for (int64_t i = 0; i < count; i++) {
            r[i] = unit(r[i] * n[0]);
            g[i] = unit(g[i] * n[0]);
            b[i] = unit(b[i] * n[0]);
        }
        break;
    case CONTRAST: {
        const float added = n[1] * mean;
        for (int64_t i = 0; i < count; i++) {
            r[i] = unit(r[i] * n[0] + added);
            g[i] = unit(g[i] * n[0] + added);
            b[i] = unit(b[i] * n[0] + added);
        }
        break;
    }
    case SATURATION:
        for (int64_t i = 0; i < count; i++) {
            const float added = n[1] * luma(r[i], g[i], b[i]);
            r[i] = unit(r[i] * n[0] + added);
            g[i] = unit(g[i] * n[0] + added);
            b[i] = unit(b[i] * n[0] + added);
        }
        break;
    case HUE:
        for (int64_t i = 0; i < count; i++) {
            const float most = larger(larger(r[i], g[i]), b[i]), least = smaller(smaller(r[i], g[i]), b[i]);
            const float chroma = most - least;
            const float hue = copysignf(g[i] + b[i] - r[i] + most - least - least, g[i] - b[i]);
            const float half = chroma * 3.0f, low = chroma - least;
            r[i] = turned(chroma, n[0], hue, half, low, least, most);
            g[i] = turned(chroma, n[1], hue, half, low, least, most);
            b[i] = turned(chroma, n[2], hue, half, low, least, most);
        }
        break;
    case GRAY:
        for (int64_t i = 0; i < count; i++) r[i] = g[i] = b[i] = luma(r[i], g[i], b[i]);
        break;
    case SOLARIZE:
        for (int64_t i = 0; i < count; i++) {
            r[i] = r[i] >= n[0] ? 1.0f - r[i] : r[i];
            g[i] = g[i] >= n[0] ? 1.0f - g[i] : g[i];
            b[i] = b[i] >= n[0] ? 1.0f - b[i] : b[i];
        }
        break;
    case NORMALIZE:
        for (int64_t i = 0; i < count; i++) {
            r[i] = (r[i] - n[0]) * n[3];
            g[i] = (g[i] - n[1]) * n[4];
            b[i] = (b[i] - n[2]) * n[5];
        }
        break;
    }
}

/* The sum of grey values, each rounded to 2^-23, in units of that: exact. */
INLINE int64_t sum_of_luma(const float *restrict r, const float *restrict g, const float *restrict b, int64_t count) {
    int64_t sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += (int32_t)(((luma(r[i], g[i], b[i]) + 1.0f) - 1.0f) * 8388608.0f);
    }
    return sum;
}

/* For each of `count` images `steps` operations and NUMBERS numbers for each; a contrast waits for all pixels before it. */
FOR_EVERY_PROCESSOR
void paint(float *images, int64_t by_image, int64_t by_plane, int64_t count, int64_t pixels, const int32_t *operations,
           const float *numbers, int64_t steps) {
    for (int64_t image = 0; image < count; image++) {
        float *red = images + image * by_image, *green = red + by_plane, *blue = green + by_plane;
        const int32_t *what = operations + image * steps;
        const float *n = numbers + image * steps * NUMBERS;
        float mean = 0.0f;
        for (int64_t first = 0, last = 0, ready = -1; last < steps; first = ready = last) {
            int is_due = 0;
            for (last = first; last < steps && (what[last] != CONTRAST || last == ready); last++) {
                is_due |= what[last] != KEEP;
            }
            const int is_summed = last < steps;
            int64_t sum = 0;
            for (int64_t at = 0; at < pixels && (is_due || is_summed); at += TILE) {
                const int64_t here = pixels - at < TILE ? pixels - at : TILE;
                for (int64_t step = first; step < last; step++) {
                    change(what[step], n + step * NUMBERS, mean, red + at, green + at, blue + at, here);
                }
                if (is_summed) sum += sum_of_luma(red + at, green + at, blue + at, here);
            }
            mean = (float)((double)sum / 8388608.0 / (double)pixels);
        }
    }
}

/* Where a position beyond 0..size-1 lies, mirrored at the border pixel. */
INLINE int64_t mirrored(int64_t position, int64_t size) {
    position = position < 0 ? -position : position;
    return position > size - 1 ? 2 * (size - 1) - position : position;
}

#define LANES 16
typedef float Lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));
#define AT(line) (*(const Lanes *)(line))

/* A weighted sum of lines: the middle one, then pairs from within outwards. The sums stay in registers. */
INLINE void weighted(float *out, const float *const *before, const float *const *after, const float *weights, int64_t reach,
                     int64_t count) {
    int64_t at = 0;
    for (; at + 4 * LANES <= count; at += 4 * LANES) {
        Lanes sum[4];
        for (int i = 0; i < 4; i++) sum[i] = AT(before[0] + at + i * LANES) * weights[0];
        for (int64_t t = 1; t <= reach; t++) {
            const float *a = before[t] + at, *b = after[t] + at;
            for (int i = 0; i < 4; i++) sum[i] += (AT(a + i * LANES) + AT(b + i * LANES)) * weights[t];
        }
        memcpy(out + at, sum, sizeof sum);
    }
    for (; at + LANES <= count; at += LANES) {
        Lanes sum = AT(before[0] + at) * weights[0];
        for (int64_t t = 1; t <= reach; t++) sum += (AT(before[t] + at) + AT(after[t] + at)) * weights[t];
        memcpy(out + at, &sum, sizeof sum);
    }
    for (; at < count; at++) {
        float sum = before[0][at] * weights[0];
        for (int64_t t = 1; t <= reach; t++) sum += (before[t][at] + after[t][at]) * weights[t];
        out[at] = sum;
    }
}

/* Each of the images blurred along both axes over its mirror image. `weights` has radius + 1 for each, from the middle
outwards; `space` has room for one plane and a line of width + 2 * radius. */
FOR_EVERY_PROCESSOR
void blur(float *images, int64_t by_image, int64_t by_plane, const int64_t *which, int64_t count, int64_t height,
          int64_t width, const float *weights, int64_t radius, float *space) {
    float *line = space + height * width;
    const float *before[MOST_TAPS], *after[MOST_TAPS];
    for (int64_t number = 0; number < count * 3; number++) {
        float *plane = images + which[number / 3] * by_image + number % 3 * by_plane;
        const float *w = weights + number / 3 * (radius + 1);
        int64_t reach = radius;
        while (reach > 0 && w[reach] == 0.0f) reach--;
        for (int64_t t = 0; t <= reach; t++) before[t] = line + radius - t, after[t] = line + radius + t;
        for (int64_t y = 0; y < height; y++) {
            const float *row = plane + y * width;
            for (int64_t x = 0; x < width; x++) line[radius + x] = row[x];
            for (int64_t t = 1; t <= reach; t++) {
                line[radius - t] = row[mirrored(-t, width)];
                line[radius + width - 1 + t] = row[mirrored(width - 1 + t, width)];
            }
            weighted(space + y * width, before, after, w, reach, width);
        }
        for (int64_t y = 0; y < height; y++) {
            for (int64_t t = 0; t <= reach; t++) {
                before[t] = space + mirrored(y - t, height) * width;
                after[t] = space + mirrored(y + t, height) * width;
            }
            weighted(plane + y * width, before, after, w, reach, width);
        }
    }
}

/* Bytes to floats in 0..1, plane by plane, left and right exchanged if `flip`. */
FOR_EVERY_PROCESSOR
void unpack(const uint8_t *bytes, int64_t by_line, int64_t by_pixel, int64_t by_plane, int64_t height, int64_t width,
            int64_t flip, float *out) {
    float some[3][PIECE];
    for (int64_t number = 0; number < height * ((width + PIECE - 1) / PIECE); number++) {
        const int64_t y = number % height, first = number / height * PIECE;
        const int64_t here = width - first < PIECE ? width - first : PIECE;
        const uint8_t *from = bytes + y * by_line + first * by_pixel;
        if (by_pixel == 3 && by_plane == 1) {
            for (int64_t x = 0; x < here; x++) {
                for (int c = 0; c < 3; c++) some[c][x] = (float)from[3 * x + c] * UNIT;
            }
        } else {
            for (int c = 0; c < 3; c++) {
                for (int64_t x = 0; x < here; x++) some[c][x] = (float)from[x * by_pixel + c * by_plane] * UNIT;
            }
        }
        for (int c = 0; c < 3; c++) {
            float *line = out + (c * height + y) * width;
            if (flip) {
                for (int64_t x = 0; x < here; x++) line[width - 1 - first - x] = some[c][x];
            } else {
                memcpy(line + first, some[c], here * sizeof(float));
            }
        }
    }
}

/* Three planes of bytes each, laid together pixel by pixel. */
FOR_EVERY_PROCESSOR
void interleave(const uint8_t *restrict planes, int64_t count, int64_t pixels, uint8_t *restrict out) {
    for (int64_t image = 0; image < count; image++) {
        const uint8_t *red = planes + 3 * image * pixels, *green = red + pixels, *blue = green + pixels;
        for (int64_t i = 0; i < pixels; i++) {
            out[3 * (image * pixels + i)] = red[i];
            out[3 * (image * pixels + i) + 1] = green[i];
            out[3 * (image * pixels + i) + 2] = blue[i];
        }
    }
}
