from mpmath import *
mp.dps=60
def leg(n,x):
    p,q=mpf(1),x
    if n==0: return p
    for k in range(2,n+1): p,q=q,((2*k-1)*x*q-(k-1)*p)/k
    return q
x0=findroot(lambda x: psi(0,x), 1.4616321449683623)
hi=float(x0); lo=float(x0-mpf(hi)); print("root",repr(hi),repr(lo))
# Chebyshev fit of psi(x)/(x-x0) on [1,2], t=x-1.5 in [-.5,.5], then to monomials
f=lambda t: psi(0,t+mpf(3)/2)/(t+mpf(3)/2-x0)
N=24
nodes=[cos(pi*(k+mpf(1)/2)/N)/2 for k in range(N)]
A=matrix(N,N); B=matrix(N,1)
for i,t in enumerate(nodes):
    for j in range(N): A[i,j]=t**j
    B[i]=f(t)
c=lu_solve(A,B)
err=max(abs(sum(c[j]*t**j for j in range(N))/f(t)-1) for t in linspace(-0.4999,0.4999,301))
print(nstr(err,5))
for j in range(N): print(nstr(c[j],20))
def kron(n):
    # Stieltjes polynomial E_{n+1} in Legendre basis
    m=n+1
    mp.dps=60
    P=lambda k,x: leg(k,x)
    # Gauss quadrature exact integrals: use gauss-legendre with many nodes
    K=3*n+6
    xs=polyroots_leg(K)
    ws=[2/((1-x*x)*dleg(K,x)**2) for x in xs]
    I=lambda g: fsum(w*g(x) for x,w in zip(xs,ws))
    ks=list(range(m%2,m,2))
    js=list(range(m%2,m,2))
    js=[j for j in range(0,m) if (j+m+n)%2==0]
    A=matrix(len(js),len(ks)); B=matrix(len(js),1)
    for r,j in enumerate(js):
        for q,k in enumerate(ks): A[r,q]=I(lambda x: P(n,x)*P(j,x)*P(k,x))
        B[r]=-I(lambda x: P(n,x)*P(j,x)*P(m,x))
    e=lu_solve(A,B) if len(js)==len(ks) else None
    if e is None: print(len(js),len(ks)); return
    E=lambda x: P(m,x)+sum(e[q]*P(k,x) for q,k in enumerate(ks))
    g=sorted(polyroots_leg(n))
    br=[mpf(-1)]+g+[mpf(1)]
    ek=[findroot(E,((br[i]),(br[i+1])),solver='bisect',tol=1e-110,maxsteps=250,verify=False) for i in range(n+1)]
    allx=sorted(g+ek)
    # interpolatory weights
    print([nstr(x,20) for x in allx], [nstr(x,8) for x in e])
    T=matrix(len(allx),len(allx)); b=matrix(len(allx),1)
    for r in range(len(allx)):
        for q,x in enumerate(allx): T[r,q]=leg(r,x)
        b[r]=2 if r==0 else 0
    w=lu_solve(T,b)
    for x,ww in zip(allx,w):
        if x>-1e-30:
            isg=min(abs(x-y) for y in g)<1e-30
            gw=2/((1-x*x)*dleg(n,x)**2) if isg else 0
            print(nstr(abs(x),22),nstr(ww,22),nstr(gw,22))
def dleg(n,x): return n*(x*leg(n,x)-leg(n-1,x))/(x*x-1)
def polyroots_leg(n):
    import numpy
    r=[]
    for x0 in numpy.polynomial.legendre.leggauss(n)[0]:
        x=mpf(float(x0))
        for _ in range(8): 
            if abs(x)<1e-12: x=mpf(0); break
            x=x-leg(n,x)/dleg(n,x)
        r.append(x)
    return r
kron(10)
