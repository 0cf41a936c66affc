# Computes the expected values of the tests with R's survival and writes them beside itself as JSON:
#   cd testdata && Rscript golden.R
# Made with R 4.2.2 and survival 3.5-3. The data are drawn here and written to tenures.csv and intervals.csv.
library(survival)
num <- function(x) ifelse(is.na(x), '"nan"', ifelse(is.infinite(x), ifelse(x > 0, '"inf"', '"-inf"'), sprintf("%.17g", x)))
rows <- list()
row <- function(name, args, want, tolerance = NULL) {
  obj <- function(l) paste0("{", paste0('"', names(l), '": ', vapply(l, function(v) num(as.numeric(v)), ""), collapse = ", "), "}")
  rows[[length(rows) + 1]] <<- paste0('  {"name": "', name, '", "args": ', obj(args), ', "want": ', obj(want),
    if (!is.null(tolerance)) paste0(', "tolerance": ', tolerance), "}")
}
write_golden <- function(file, tolerance) {
  cat('{"source": "R 4.2.2 with survival 3.5-3", "generator": "testdata/golden.R", "tolerance": ', tolerance,
    ',\n "rows": [\n', paste(rows, collapse = ",\n"), "\n]}\n", sep = "", file = file)
  rows <<- list()
}
vec <- function(prefix, v) { v <- as.numeric(v); setNames(as.list(v), paste0(prefix, seq_along(v) - 1)) }

set.seed(7)
n <- 160
d <- data.frame(customer = paste0("c", seq_len(n)),
  plan = sample(c("basic", "pro", "team"), n, TRUE), region = sample(c("east", "west"), n, TRUE),
  x1 = round(rnorm(n), 3), x2 = rbinom(n, 1, .4), weight = sample(1:4, n, TRUE))
rate <- .06 * exp(.5 * d$x1 - .4 * d$x2 + .3 * (d$plan == "pro"))
life <- ceiling(rexp(n, rate))
cens <- sample(5:40, n, TRUE)
d$duration <- pmin(life, cens)
d$ended <- as.integer(life <= cens)
d$reason <- ifelse(d$ended == 1, sample(c("voluntary", "involuntary"), n, TRUE, c(.7, .3)), "")
d$entry <- ifelse(runif(n) < .5, 0, floor(runif(n) * d$duration))
d <- d[, c("customer", "entry", "duration", "ended", "reason", "weight", "plan", "region", "x1", "x2")]
write.csv(d, "tenures.csv", row.names = FALSE, quote = FALSE)

# Curves.
curve <- function(label, fit) {
  s <- summary(fit, censored = TRUE)
  for (i in seq_along(s$time))
    row(paste0(label, "/", i - 1), list(time = s$time[i]), list(at_risk = s$n.risk[i], events = s$n.event[i],
      censored = s$n.censor[i], survival = s$surv[i], std_err = ifelse(s$surv[i] > 0, s$std.err[i], NaN),
      lower = s$lower[i], upper = s$upper[i], cum_hazard = s$cumhaz[i], cum_hazard_std_err = s$std.chaz[i]))
}
sets <- list(plain = list(Surv(d$duration, d$ended), rep(1, n)), weighted = list(Surv(d$duration, d$ended), d$weight),
  truncated = list(Surv(d$entry, d$duration, d$ended), rep(1, n)), both = list(Surv(d$entry, d$duration, d$ended), d$weight))
for (name in names(sets)) {
  y <- sets[[name]][[1]]; w <- sets[[name]][[2]]
  for (ct in c("log", "plain", "log-log"))
    curve(paste("kaplan-meier", ct, name, sep = "/"), survfit(y ~ 1, weights = w, conf.type = ct, robust = FALSE))
  curve(paste("nelson-aalen/log", name, sep = "/"), survfit(y ~ 1, weights = w, stype = 2, ctype = 1, robust = FALSE))
  curve(paste("fleming-harrington/log", name, sep = "/"), survfit(y ~ 1, weights = w, stype = 2, ctype = 2, robust = FALSE))
}
write_golden("curves.json", "1e-10")

# Quantiles, restricted means.
for (ct in c("log", "plain", "log-log")) {
  q <- quantile(survfit(Surv(duration, ended) ~ 1, d, conf.type = ct), c(.1, .25, .5, .75))
  for (i in 1:4) row(paste0("quantile/", ct, "/", i - 1), list(p = c(.1, .25, .5, .75)[i]),
    list(time = q$quantile[i], lower = q$lower[i], upper = q$upper[i]))
}
for (name in names(sets)) for (tau in c(7, 20, 33.5)) {
  s <- summary(survfit(sets[[name]][[1]] ~ 1, weights = sets[[name]][[2]], robust = FALSE), rmean = tau)$table
  row(paste0("rmst/", name, "/", tau), list(tau = tau), list(mean = s["rmean"], std_err = s["se(rmean)"]))
}
write_golden("summaries.json", "1e-10")

# Comparisons. survdiff knows neither entries, weights nor other weightings: those are computed here from the definition.
compare <- function(label, f, rho = 0) {
  s <- survdiff(f, d, rho = rho)
  obs <- if (is.matrix(s$obs)) rowSums(s$obs) else s$obs
  exp <- if (is.matrix(s$exp)) rowSums(s$exp) else s$exp
  k <- length(obs)
  want <- c(list(chi_square = s$chisq, p = pchisq(s$chisq, k - 1, lower.tail = FALSE)), vec("score", obs - exp), vec("cov", s$var))
  if (rho == 0) want <- c(want, vec("observed", obs), vec("expected", exp))
  row(label, list(rho = rho), want)
}
compare("survdiff/plan", Surv(duration, ended) ~ plan)
compare("survdiff/region", Surv(duration, ended) ~ region)
compare("survdiff/plan/strata", Surv(duration, ended) ~ plan + strata(region))
compare("survdiff/plan/rho1", Surv(duration, ended) ~ plan, 1)
compare("survdiff/plan/rho0.5/strata", Surv(duration, ended) ~ plan + strata(region), .5)
definition <- function(label, weight, gamma = 0, rho = 0, entry = rep(0, n), w = rep(1, n), strata = rep(1, n)) {
  g <- factor(d$plan); k <- nlevels(g); u <- numeric(k); v <- matrix(0, k, k)
  for (h in unique(strata)) {
    surv <- 1
    for (t in sort(unique(d$duration[strata == h & d$ended == 1]))) {
      r <- strata == h & (entry < t | entry == 0) & d$duration >= t
      e <- r & d$duration == t & d$ended == 1
      nn <- sum(w[r]); dd <- sum(w[e])
      ng <- tapply(w * r, g, sum); dg <- tapply(w * e, g, sum)
      wt <- switch(weight, logrank = 1, gehan = nn, tarone = sqrt(nn), fh = surv^rho * (1 - surv)^gamma)
      u <- u + wt * (dg - ng * dd / nn)
      if (nn > 1) v <- v + wt^2 * dd * (nn - dd) / (nn - 1) * (diag(ng / nn) - outer(ng, ng) / nn^2)
      surv <- surv * (1 - dd / nn)
    }
  }
  a <- c(1, 2, 4)
  z <- sum(a * u) / sqrt(a %*% v %*% a)
  row(label, list(rho = rho, gamma = gamma), c(list(chi_square = u[-k] %*% solve(v[-k, -k], u[-k]), trend = z), vec("score", u), vec("cov", v)))
}
definition("definition/gehan-wilcoxon", "gehan")
definition("definition/tarone-ware", "tarone")
definition("definition/fleming-harrington", "fh", .5, 1)
definition("definition/fleming-harrington/truncated", "fh", 1, 0, entry = d$entry)
definition("definition/log-rank/truncated", "logrank", entry = d$entry)
definition("definition/log-rank/both/strata", "logrank", entry = d$entry, w = d$weight, strata = d$region)
definition("definition/peto-peto/both/strata", "fh", 0, 1, entry = d$entry, w = d$weight, strata = d$region)
write_golden("comparisons.json", "1e-9")
