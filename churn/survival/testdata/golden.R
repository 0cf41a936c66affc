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

# Cox regression. The scripts' intervals: each customer has one to three rows (start, stop] with a covariate that changes.
iv <- do.call(rbind, lapply(seq_len(60), function(i) {
  k <- sample(1:3, 1); cuts <- c(0, sort(sample(1:12, k))); z <- round(rnorm(k), 2)
  data.frame(customer = paste0("k", i), entry = cuts[1:k], duration = cuts[-1], ended = c(rep(0, k - 1), rbinom(1, 1, .7)),
    weight = sample(1:3, 1), plan = sample(c("basic", "pro"), 1), x1 = z, x2 = rbinom(1, 1, .5))
}))
iv$reason <- ""; iv$region <- rep(c("east", "west"), length.out = nrow(iv))
write.csv(iv, "intervals.csv", row.names = FALSE, quote = FALSE)
tight0 <- tight <- coxph.control(eps = 1e-14, toler.chol = 1e-14, iter.max = 60)
for (v in c("entry", "duration", "weight", "x2")) { d[[v]] <- as.numeric(d[[v]]); iv[[v]] <- as.numeric(iv[[v]]) }
d$plan <- factor(d$plan); iv$plan <- factor(iv$plan)
cox <- function(label, fit, extra = list()) {
  s <- summary(fit)
  want <- c(vec("coef", coef(fit)), vec("se", sqrt(diag(fit$var))), vec("cov", fit$var),
    list(log_lik = fit$loglik[2], null_log_lik = fit$loglik[1], lrt = 2 * diff(fit$loglik)), extra)
  if (!inherits(fit, "coxph.penal")) want <- c(want, list(wald = fit$wald.test, score = fit$score))
  if (!is.null(fit$naive.var)) want <- c(want, vec("naive", fit$naive.var), list(robust_score = fit$rscore))
  row(label, list(n = fit$n), want)
}
fits <- list(
  "plain/efron" = coxph(Surv(duration, ended) ~ x1 + x2 + plan, d, control = tight),
  "plain/breslow" = coxph(Surv(duration, ended) ~ x1 + x2 + plan, d, ties = "breslow", control = tight),
  "plain/exact" = coxph(Surv(duration, ended) ~ x1 + x2 + plan, d, ties = "exact", control = tight),
  "weighted/efron" = coxph(Surv(duration, ended) ~ x1 + x2 + plan, d, weights = weight, robust = FALSE, control = tight),
  "weighted/breslow" = coxph(Surv(duration, ended) ~ x1 + x2 + plan, d, weights = weight, ties = "breslow", robust = FALSE, control = tight),
  "truncated/efron" = coxph(Surv(entry, duration, ended) ~ x1 + x2 + plan, d, control = tight),
  "both/efron/strata" = coxph(Surv(entry, duration, ended) ~ x1 + x2 + plan + strata(region), d, weights = weight, robust = FALSE, control = tight),
  "both/breslow/strata" = coxph(Surv(entry, duration, ended) ~ x1 + x2 + plan + strata(region), d, weights = weight, ties = "breslow", robust = FALSE, control = tight),
  "both/efron/cluster" = coxph(Surv(entry, duration, ended) ~ x1 + x2 + plan, d, weights = weight, cluster = customer, control = tight),
  "intervals/efron" = coxph(Surv(entry, duration, ended) ~ x1 + x2 + plan, iv, control = tight),
  "intervals/efron/cluster" = coxph(Surv(entry, duration, ended) ~ x1 + x2 + plan, iv, weights = weight, cluster = customer, control = tight),
  "intervals/breslow/cluster" = coxph(Surv(entry, duration, ended) ~ x1 + x2 + plan, iv, ties = "breslow", cluster = customer, control = tight))
for (name in names(fits)) cox(name, fits[[name]])
# R enumerates the tied sets of truncated rows, so few of them
cox("truncated/exact/first40", coxph(Surv(entry, duration, ended) ~ x1 + x2 + plan, d[1:40, ], ties = "exact", control = tight))
cox("plain/efron/ridge", coxph(Surv(duration, ended) ~ ridge(x1, x2, theta = 10), d, control = tight))
cox("plain/breslow/ridge-unscaled", coxph(Surv(duration, ended) ~ ridge(x1, x2, theta = 5, scale = FALSE), d, ties = "breslow", control = tight))
write_golden("cox.json", "1e-9")

# Residuals, by row; Schoenfeld by event.
for (name in names(fits)) {
  f <- fits[[name]]
  M <- residuals(f, "martingale"); D <- residuals(f, "deviance"); n <- length(M)
  exact <- grepl("exact", name)
  if (!exact) { S <- residuals(f, "score"); B <- residuals(f, "dfbeta"); BS <- residuals(f, "dfbetas") }
  for (i in seq(1, n, by = 7)) row(paste0(name, "/row/", i - 1), list(i = i), c(list(martingale = M[i], deviance = D[i]),
    if (!exact) c(vec("score", S[i, ]), vec("dfbeta", B[i, ]), vec("dfbetas", BS[i, ]))))
  if (!exact) {
    S <- residuals(f, "schoenfeld"); Z <- residuals(f, "scaledsch")
    for (i in seq(1, nrow(S), by = 5)) row(paste0(name, "/event/", i - 1), list(i = i),
      c(list(sum = sum(S[, 1]^2), sum_scaled = sum(Z[, 2]^2)), if (!any(duplicated(rownames(S)[rownames(S) == rownames(S)[i]])))
        c(vec("schoenfeld", S[i, ]), vec("scaled", Z[i, ]))))
    for (tr in c("km", "identity", "log", "rank")) {
      if (grepl("cluster", name)) next
      z <- cox.zph(f, tr)$table
      row(paste0(name, "/zph/", tr), list(n = n), c(vec("chi_square", z[, 1]), vec("df", z[, 2]), vec("p", z[, 3])))
    }
  }
}
write_golden("residuals.json", "1e-8")

# Predicted curves.
predict_curve <- function(label, fit, new, ct) {
  s <- survfit(fit, newdata = new, conf.type = ct)
  keep <- which(s$n.event > 0)
  for (k in keep[seq(1, length(keep), by = 3)]) {
    stratum <- if (is.null(s$strata)) 0 else rep(seq_along(s$strata), s$strata)[k]
    row(paste(label, ct, k, sep = "/"), list(time = s$time[k], stratum = stratum), list(survival = s$surv[k], cum_hazard = s$cumhaz[k],
      std_err = s$std.err[k] * s$surv[k], lower = s$lower[k], upper = s$upper[k]))
  }
}
new <- data.frame(x1 = .7, x2 = 1, plan = "pro")
for (name in c("plain/efron", "plain/breslow", "weighted/efron", "truncated/efron", "both/efron/strata", "both/efron/cluster"))
  for (ct in c("log", "plain", "log-log")) {
    nd <- if (grepl("strata", name)) data.frame(new, region = c("east", "west")) else new
    if (nrow(nd) == 1) predict_curve(name, fits[[name]], nd, ct)
    else for (r in 1:2) {
      s <- survfit(fits[[name]], newdata = nd[r, ], conf.type = ct)
      for (k in which(s$n.event > 0)[seq(1, sum(s$n.event > 0), by = 3)])
        row(paste(name, ct, r, k, sep = "/"), list(time = s$time[k], stratum = r), list(survival = s$surv[k], cum_hazard = s$cumhaz[k],
          std_err = s$std.err[k] * s$surv[k], lower = s$lower[k], upper = s$upper[k]))
    }
  }
write_golden("predictions.json", "1e-8")

# Concordance.
conc <- function(label, formula, w = rep(1, nrow(d)), kinds = c("n", "S", "S/G", "n/G2")) for (tw in kinds) {
  d$w <- w
  k <- do.call(concordance, list(formula, data = d, weights = d$w, reverse = TRUE, timewt = tw))
  count <- if (is.matrix(k$count)) colSums(k$count) else k$count
  row(paste(label, gsub("/", "", tw), sep = "/"), list(n = k$n), list(concordance = k$concordance, std_err = sqrt(k$var), concordant = count[1],
    discordant = count[2], tied_score = count[3]))
}
conc("plain", Surv(duration, ended) ~ x1)
conc("weighted", Surv(duration, ended) ~ x1, d$weight)
conc("plain/x2", Surv(duration, ended) ~ x2)
conc("plain/strata", Surv(duration, ended) ~ x1 + strata(region), kinds = "n")
conc("truncated", Surv(entry, duration, ended) ~ x1, kinds = "n")
conc("both", Surv(entry, duration, ended) ~ x1, d$weight, kinds = "n")
write_golden("concordance.json", "1e-9")

# Cumulative incidence. R takes a weight for the size of one customer's vote; here weights count customers, so rows repeat.
incidence <- function(label, d) {
  s <- survfit(Surv(duration, factor(ifelse(ended == 0, "", reason), c("", "involuntary", "voluntary"))) ~ 1, d, conf.type = "log-log")
  l <- survfit(Surv(duration, factor(ifelse(ended == 0, "", reason), c("", "involuntary", "voluntary"))) ~ 1, d)
  for (i in which(rowSums(s$n.event[, 2:3]) > 0 & s$pstate[, 2] > 0)) row(paste0(label, "/", i), list(time = s$time[i]), list(survival = s$pstate[i, 1],
    incidence0 = s$pstate[i, 2], incidence1 = s$pstate[i, 3], std_err0 = s$std.err[i, 2], std_err1 = s$std.err[i, 3],
    lower0 = l$lower[i, 2], upper0 = l$upper[i, 2], lower1 = l$lower[i, 3], upper1 = l$upper[i, 3]))
}
incidence("plain", d)
incidence("weighted", d[rep(seq_len(nrow(d)), d$weight), ])
write_golden("incidence.json", "1e-10")

# Parametric regressions. The interval data look at the tenures at multiples of 4.
d$lower <- floor((d$duration - 1) / 4) * 4; d$upper <- ifelse(d$ended == 1, d$lower + 4, NA)
regression <- function(label, fit) {
  k <- length(coef(fit)); scaled <- nrow(fit$var) > k
  j <- diag(nrow(fit$var)); if (scaled) j[k + 1, k + 1] <- fit$scale
  row(label, list(n = length(fit$linear.predictors)), c(vec("param", c(coef(fit), if (scaled) fit$scale)), vec("cov", j %*% fit$var %*% j),
    list(log_lik = fit$loglik[2])))
}
for (f in c("exponential", "weibull", "lognormal", "loglogistic")) {
  tight <- survreg.control(rel.tolerance = 1e-14, maxiter = 100)
  regression(paste0(f, "/plain"), survreg(Surv(duration, ended) ~ x1 + x2 + plan, d, dist = f, control = tight))
  regression(paste0(f, "/weighted"), survreg(Surv(duration, ended) ~ x1 + x2 + plan, d, weights = weight, dist = f, control = tight))
  regression(paste0(f, "/interval"), survreg(Surv(ifelse(lower == 0, NA, lower), upper, type = "interval2") ~ x1 + x2 + plan, subset(d, lower > 0 | ended == 1),
    weights = weight, dist = f, control = tight))
}
write_golden("regression.json", "1e-8")

# Regression of Fine and Gray.
d$event <- factor(ifelse(d$ended == 0, "", d$reason), c("", "involuntary", "voluntary"))
d$one <- 1
for (reason in c("involuntary", "voluntary")) for (set in "plain") {
  d$w <- d$one
  fg <- finegray(Surv(duration, event) ~ x1 + x2 + plan + customer, d, etype = reason, weights = w)
  f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ x1 + x2 + plan, fg, weights = fgwt, cluster = customer, control = tight0)
  row(paste(set, reason, sep = "/"), list(n = nrow(d)), c(vec("coef", coef(f)), vec("cov", f$var), vec("naive", f$naive.var),
    list(log_lik = f$loglik[2], robust_score = f$rscore)))
}
write_golden("subdistribution.json", "1e-8")
