# Writes stats_r.json: power.prop.test, power.t.test, p.adjust, prop.test and t.test of base R (package stats).
# Run with: Rscript stats.R > stats_r.json
rows <- character()
num <- function(x) sprintf('"%s"', formatC(x, digits = 17, format = "g", width = 1))
add <- function(name, args, want, tol) {
  f <- function(l) paste(sprintf('"%s": %s', names(l), sapply(l, num)), collapse = ", ")
  rows <<- c(rows, sprintf('  {"name": "%s", "args": {%s}, "want": {%s}, "tolerance": %g}', name, f(args), f(want), tol))
}
for (c in list(c(.05, .06, .05, .8), c(.02, .03, .01, .9), c(.5, .4, .1, .95))) {
  p <- power.prop.test(p1 = c[1], p2 = c[2], sig.level = c[3], power = c[4], tol = 1e-12)
  add(sprintf("size rates %g %g", c[1], c[2]), list(p1 = c[1], p2 = c[2], level = 1 - c[3], power = c[4]), list(n = p$n), 1e-8)
  q <- power.prop.test(n = 1000, p1 = c[1], p2 = c[2], sig.level = c[3], strict = TRUE)
  add(sprintf("power rates %g %g", c[1], c[2]), list(p1 = c[1], p2 = c[2], level = 1 - c[3], n = 1000), list(power = q$power), 1e-8)
}
for (c in list(c(50, 5, .05, .8), c(1, 1, .05, .8), c(3, 4, .01, .9))) {
  p <- power.t.test(sd = c[1], delta = c[2], sig.level = c[3], power = c[4], strict = TRUE, tol = 1e-12)
  add(sprintf("size means %g %g", c[1], c[2]), list(sd = c[1], delta = c[2], level = 1 - c[3], power = c[4]), list(n = p$n), 1e-7)
  o <- power.t.test(sd = c[1], delta = c[2], sig.level = c[3], power = c[4], alternative = "one.sided", tol = 1e-12)
  add(sprintf("size means one-sided %g %g", c[1], c[2]), list(sd = c[1], delta = c[2], level = 1 - c[3], power = c[4]), list(n = o$n), 1e-7)
}
sets <- list(c(.01, .04, .03, .005), c(.5, .001, .9, .02, .021, .02), c(.2), c(0, 1, .3))
for (i in seq_along(sets)) {
  p <- sets[[i]]
  w <- c(p.adjust(p, "holm"), p.adjust(p, "bonferroni"), p.adjust(p, "BH"))
  names(w) <- c(paste0("holm", seq_along(p) - 1), paste0("bonferroni", seq_along(p) - 1), paste0("bh", seq_along(p) - 1))
  a <- c(list(m = length(p)), setNames(as.list(p), paste0("p", seq_along(p) - 1)))
  add(sprintf("adjust %d", i), a, as.list(w), 1e-14)
}
for (c in list(c(200, 10000, 250, 10000), c(3, 10, 6, 10), c(81, 263, 15, 148), c(1, 900, 9, 850))) {
  z <- prop.test(c[c(1, 3)], c[c(2, 4)], correct = FALSE)
  one <- prop.test(c[3], c[4], correct = FALSE)
  add(sprintf("rates %g/%g %g/%g", c[1], c[2], c[3], c[4]), list(x1 = c[1], n1 = c[2], x2 = c[3], n2 = c[4]),
      list(chi2 = unname(z$statistic), p = z$p.value, wald_low = -z$conf.int[2], wald_high = -z$conf.int[1], wilson_low = one$conf.int[1], wilson_high = one$conf.int[2]), 1e-9)
}
x <- c(12.5, 0, 30, 45, 0, 18, 22.5, 60, 0, 15); y <- c(20, 0, 35, 52.5, 10, 24, 30, 75, 0, 18)
t <- t.test(y, x)
add("t.test", list(level = .95), list(t = unname(t$statistic), df = unname(t$parameter), p = t$p.value, low = t$conf.int[1], high = t$conf.int[2]), 1e-10)
cat('{"source": "R stats package", "generator": "testdata/stats.R", "tolerance": 1e-8, "rows": [\n', paste(rows, collapse = ",\n"), "\n]}\n", sep = "")
