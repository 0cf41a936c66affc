# Computes the expected values of the tests with R's glm, isoreg and base functions and writes them beside itself as JSON:
#   cd testdata && Rscript golden.R
# Made with R 4.2.2. The data are drawn here and written to customers.csv and tenures.csv.
num <- function(x) ifelse(is.na(x), '"nan"', ifelse(is.infinite(x), ifelse(x > 0, '"inf"', '"-inf"'), sprintf("%.17g", x)))
rows <- list()
row <- function(name, args, want, tolerance = NULL) {
  obj <- function(l) paste0("{", if (length(l)) paste0('"', names(l), '": ', vapply(l, function(v) num(as.numeric(v)), ""), collapse = ", "), "}")
  rows[[length(rows) + 1]] <<- paste0('  {"name": "', name, '", "args": ', obj(args), ', "want": ', obj(want),
    if (!is.null(tolerance)) paste0(', "tolerance": ', tolerance), "}")
}
write_golden <- function(file, tolerance) {
  cat('{"source": "R 4.2.2", "generator": "testdata/golden.R", "tolerance": ', tolerance,
    ',\n "rows": [\n', paste(rows, collapse = ",\n"), "\n]}\n", sep = "", file = file)
  rows <<- list()
}
tight <- glm.control(epsilon = 1e-15, maxit = 100)
vec <- function(prefix, v) { v <- as.numeric(v); setNames(as.list(v), paste0(prefix, seq_along(v) - 1)) }
# The covariance that glm keeps is that of its last but one iteration: this is that of the estimate.
covariance <- function(m) {
  eta <- m$linear.predictors; mu <- plogis(eta); w <- mu * (1 - mu)
  if (m$family$link == "cloglog") { mu <- -expm1(-exp(eta)); w <- exp(2 * (eta - exp(eta))) / (mu * exp(-exp(eta))) }
  x <- model.matrix(m); s <- apply(x, 2, function(v) sqrt(mean(v^2)))
  solve(crossprod(sweep(x, 2, s, "/") * sqrt(w)), tol = 1e-30) / outer(s, s)
}
# More steps of Fisher's scoring, since glm stops by the deviance, and with the link cloglog the coefficients follow it late.
settle <- function(m) {
  x <- model.matrix(m)
  for (i in 1:60) {
    eta <- m$linear.predictors; mu <- m$family$linkinv(eta); d <- m$family$mu.eta(eta)
    m$coefficients <- m$coefficients + drop(covariance(m) %*% crossprod(x, (m$y - mu) * d / (mu * (1 - mu))))
    m$linear.predictors <- drop(x %*% m$coefficients); m$fitted.values <- m$family$linkinv(m$linear.predictors)
  }
  m
}
low <- function(m) m[lower.tri(m, diag = TRUE)]  # by columns

# Logistic regression.
set.seed(11)
n <- 400
d <- data.frame(plan = sample(c("basic", "pro", "team"), n, TRUE), x1 = round(rnorm(n), 3), x2 = rbinom(n, 1, .4),
  spend = round(1000 + 300 * rnorm(n), 1), weight = sample(1:4, n, TRUE), cluster = paste0("k", sample(1:60, n, TRUE)))
eta <- -.7 + .8 * d$x1 - .5 * d$x2 + .001 * (d$spend - 1000) + .6 * (d$plan == "pro")
d$left <- rbinom(n, 1, plogis(eta))
d$score <- round(eta + rnorm(n), 1)                     # with ties
d$other <- round(.4 * eta + rnorm(n), 1)
d$probability <- round(plogis(1.4 * eta + .2), 3)
write.csv(d, "customers.csv", row.names = FALSE, quote = FALSE)
f <- left ~ plan + x1 + x2 + spend
fit_row <- function(name, m, cov = covariance(m)) {
  null <- update(m, . ~ 1)
  row(name, list(), c(vec("coef", coef(m)), vec("cov", low(cov)), list(log_lik = as.numeric(logLik(m)),
    null = as.numeric(logLik(null)), lr = 2 * as.numeric(logLik(m) - logLik(null)),
    p = pchisq(2 * as.numeric(logLik(m) - logLik(null)), length(coef(m)) - 1, lower.tail = FALSE))))
}
plain <- glm(f, binomial, d, control = tight)
fit_row("plain", plain)
twice <- d[rep(seq_len(n), d$weight), ]
weighted <- glm(f, binomial, twice, control = tight)
fit_row("weighted", weighted)
sandwich <- function(m, data, cluster) {
  s <- rowsum(model.matrix(m) * (m$y - fitted(m)), cluster)
  covariance(m) %*% crossprod(s) %*% covariance(m)
}
row("robust", list(), vec("cov", low(sandwich(plain, d, seq_len(n)))))
row("robust weighted", list(), vec("cov", low(sandwich(weighted, twice, seq_len(nrow(twice))))))
row("cluster", list(), vec("cov", low(sandwich(plain, d, d$cluster))))
row("cluster weighted", list(), vec("cov", low(sandwich(weighted, twice, twice$cluster))))
# Ridge by Newton's method.
x <- model.matrix(f, d); sds <- sqrt(colMeans(sweep(x, 2, colMeans(x))^2))
ridge <- function(weight, scale) {
  pen <- diag(c(0, weight * scale[-1]^2)); b <- c(qlogis(mean(d$left)), rep(0, ncol(x) - 1))
  for (i in 1:60) {
    p <- plogis(drop(x %*% b)); h <- crossprod(x * sqrt(p * (1 - p))) + pen
    b <- b + drop(solve(h, crossprod(x, d$left - p) - pen %*% b, tol = 1e-30))
  }
  list(b = b, cov = solve(h, tol = 1e-30), ll = sum(dbinom(d$left, 1, plogis(drop(x %*% b)), log = TRUE)))
}
for (w in c(1, 25)) {
  r <- ridge(w, sds); row(paste0("ridge/", w), list(ridge = w), c(vec("coef", r$b), vec("cov", low(r$cov)), list(log_lik = r$ll)))
  r <- ridge(w, rep(1, ncol(x))); row(paste0("ridge unscaled/", w), list(ridge = w), c(vec("coef", r$b), vec("cov", low(r$cov)), list(log_lik = r$ll)))
}
who <- data.frame(plan = "team", x1 = .5, x2 = 1, spend = 800)
pr <- predict(plain, who, se.fit = TRUE)
row("interval", list(), list(p = plogis(pr$fit), lower = plogis(pr$fit - qnorm(.95) * pr$se.fit), upper = plogis(pr$fit + qnorm(.95) * pr$se.fit)))
write_golden("logistic.json", "1e-8")

# Discrete-time hazard models on the person-periods.
set.seed(12)
n <- 250
t <- data.frame(plan = sample(c("basic", "pro"), n, TRUE), x1 = round(rnorm(n), 3), weight = sample(1:3, n, TRUE),
  customer = paste0("c", sample(1:120, n, TRUE)))
h <- .12 * exp(.5 * t$x1 - .6 * (t$plan == "pro"))
life <- rexp(n, h); cens <- runif(n, 1, 9)
t$ended <- as.integer(life <= cens); t$duration <- round(pmin(life, cens) + .005, 2)
t$entry <- ifelse(runif(n) < .6, 0, round(runif(n) * t$duration * .8, 2))
t <- t[, c("customer", "entry", "duration", "ended", "weight", "plan", "x1")]
write.csv(t, "tenures.csv", row.names = FALSE, quote = FALSE)
expand <- function(data) do.call(rbind, lapply(seq_len(nrow(data)), function(i) {
  r <- data[i, ]; first <- ceiling(r$entry) + 1; last <- if (r$ended) ceiling(r$duration) else floor(r$duration)
  if (last < first) return(NULL)
  cbind(r, t = first:last, y = as.integer(r$ended & first:last == last), row = i, row.names = NULL)
}))
pp <- expand(t)
twice <- pp[rep(seq_len(nrow(pp)), pp$weight), ]
copy <- sequence(pp$weight)
base <- list("each period" = quote(0 + factor(t)), cuts = quote(0 + cut(t, c(0, 2, 4, 99))), constant = quote(1), linear = quote(t),
  log = quote(log(t)), quadratic = quote(t + I(t^2)))
for (link in c("logit", "cloglog")) for (b in names(base)) for (w in c("plain", "weighted")) {
  data <- if (w == "plain") pp else twice
  full <- eval(bquote(y ~ .(base[[b]]) + plan + x1)); none <- eval(bquote(y ~ .(base[[b]])))
  m <- settle(glm(full, binomial(link), data, control = tight)); m0 <- glm(none, binomial(link), data, control = tight)
  # glm puts levels of the baseline first, and "plan" after it.
  co <- coef(m); stopifnot(names(co)[length(co)] == "x1", names(co)[length(co) - 1] == "planpro")
  eta <- predict(m); mu <- fitted(m)
  dmu <- if (link == "logit") mu * (1 - mu) else exp(eta - exp(eta))
  s <- rowsum(model.matrix(m) * ((data$y - mu) * dmu / (mu * (1 - mu))), if (w == "plain") data$row else paste(data$row, copy))
  sc <- rowsum(model.matrix(m) * ((data$y - mu) * dmu / (mu * (1 - mu))), data$customer)
  row(paste(link, b, w, sep = "/"), list(), c(vec("coef", co), vec("cov", low(covariance(m))), list(log_lik = as.numeric(logLik(m)),
    null = as.numeric(logLik(m0)), periods = nrow(data), left = sum(data$y)), vec("robust", low(covariance(m) %*% crossprod(s) %*% covariance(m))),
    vec("cluster", low(covariance(m) %*% crossprod(sc) %*% covariance(m)))))
}
m <- glm(y ~ 0 + factor(t) + plan + x1, binomial, pp, control = tight)
hz <- predict(m, data.frame(t = 1:8, plan = "pro", x1 = .7), type = "response")
row("outlook", list(), list(h3 = hz[3], s2 = prod(1 - hz[1:2]), s8 = prod(1 - hz), leaves = 1 - prod(1 - hz[4:6])))
write_golden("hazard.json", "1e-8")

# Calibration.
target <- ifelse(d$left == 1, (sum(d$left) + 1) / (sum(d$left) + 2), 1 / (sum(1 - d$left) + 2))
m <- suppressWarnings(glm(target ~ score, binomial, d, control = tight)); row("platt", list(), list(a = -coef(m)[2], b = -coef(m)[1]))
m <- glm(left ~ score, binomial, d, control = tight); row("platt plain", list(), list(a = -coef(m)[2], b = -coef(m)[1]))
ord <- order(d$score); means <- ave(d$left, d$score)[ord]
iso <- isoreg(means)$yf; u <- !duplicated(d$score[ord])
s <- d$score[ord][u]; v <- iso[u]
for (i in seq_along(s)) row(paste0("isotonic/", i - 1), list(score = s[i]), list(p = v[i]))
for (x in c(-99, -2.04, .13, .55, 1.27, 99)) row(paste0("isotonic between/", x), list(score = x), list(p = approx(s, v, x, rule = 2)$y))
odds <- qlogis(d$probability)
row("recalibrate", list(), list(intercept = coef(glm(left ~ 1, binomial, d, offset = odds, control = tight)),
  slope = coef(glm(left ~ odds, binomial, d, control = tight))[2]))
y <- d$left; p <- d$probability
row("losses", list(), list(brier = mean((p - y)^2), log_loss = -mean(ifelse(y == 1, log(p), log(1 - p)))))
decompose <- function(name, g) {
  k <- tapply(y, g, length); o <- tapply(y, g, mean); f <- tapply(p, g, mean); r <- mean(y)
  og <- ave(y, g); fg <- ave(p, g)
  row(name, list(), list(groups = length(k), reliability = sum(k * (f - o)^2) / n, resolution = sum(k * (o - r)^2) / n, uncertainty = r * (1 - r),
    within_variance = mean((p - fg)^2), within_covariance = 2 * mean((p - fg) * (y - og)), skill = 1 - mean((p - y)^2) / (r * (1 - r))))
}
n <- nrow(d)
decompose("brier each", p)
decompose("brier width", cut(p, (0:10) / 10, include.lowest = TRUE))
groups <- floor((rank(p, ties.method = "average") - .5) * 10 / n)
decompose("brier number", groups)
o <- tapply(y, groups, sum); e <- tapply(p, groups, sum); k <- tapply(y, groups, length)
hl <- sum((o - e)^2 / (e * (1 - e / k)))
row("hosmer-lemeshow", list(), list(statistic = hl, df = 8, p = pchisq(hl, 8, lower.tail = FALSE)))
row("calibration", list(), list(expected = sum(k * abs(o / k - e / k)) / n, maximum = max(abs(o / k - e / k))))
for (g in 0:9) row(paste0("calibration/", g), list(), list(low = min(p[groups == g]), high = max(p[groups == g]), customers = k[g + 1],
  left = o[g + 1], predicted = e[g + 1] / k[g + 1], lower = prop.test(o[g + 1], k[g + 1], correct = FALSE)$conf.int[1],
  upper = prop.test(o[g + 1], k[g + 1], correct = FALSE)$conf.int[2]), 1e-7)
write_golden("calibration.json", "1e-8")

# Ranking, by the definitions over all pairs.
rank_row <- function(name, y, s) {
  a <- s[y == 1]; b <- s[y == 0]
  v <- outer(a, b, function(u, w) (u > w) + .5 * (u == w))
  auc <- mean(v); se <- sqrt(var(rowMeans(v)) / length(a) + var(colMeans(v)) / length(b))
  th <- sort(unique(s), decreasing = TRUE)
  rec <- sapply(th, function(x) mean(a >= x)); pre <- sapply(th, function(x) mean(y[s >= x]))
  row(name, list(), list(auc = auc, se = se, ap = sum(diff(c(0, rec)) * pre), ks = as.numeric(suppressWarnings(ks.test(a, b))$statistic),
    wilcoxon = as.numeric(suppressWarnings(wilcox.test(a, b))$statistic) / (length(a) * length(b)),
    top = mean(y[s == th[1]])))
  v
}
ys <- d$left
va <- rank_row("score", ys, d$score); vb <- rank_row("other", ys, d$other); invisible(rank_row("probability", ys, d$probability))
dv <- mean(va) - mean(vb)
se <- sqrt(var(rowMeans(va) - rowMeans(vb)) / nrow(va) + var(colMeans(va) - colMeans(vb)) / ncol(va))
row("compare", list(), list(difference = dv, se = se, z = dv / se, p = 2 * pnorm(-abs(dv / se))))
# Lift and gains as the mean over the orders of the ties: each customer of a tie is in by the same share.
for (q in c(.01, .1, .25, .333, .5, .9, 1)) {
  above <- rank(-d$score, ties.method = "min") - 1; size <- ave(ys, d$score, FUN = length)
  inside <- pmin(1, pmax(0, (q * n - above) / size))
  row(paste0("gain/", q), list(share = q), list(gain = sum(inside * ys) / sum(ys), lift = sum(inside * ys) / (q * n) / mean(ys)))
}
for (x in c(-1, 0, .5)) { pos <- d$score >= x; row(paste0("at/", x), list(threshold = x), list(precision = mean(ys[pos]), recall = mean(pos[ys == 1]),
  specificity = mean(!pos[ys == 0]), accuracy = mean(pos == ys), mcc = cor(pos, ys),
  f1 = 2 * sum(pos & ys) / (2 * sum(pos & ys) + sum(pos & !ys) + sum(!pos & ys)))) }
write_golden("ranking.json", "1e-10")
