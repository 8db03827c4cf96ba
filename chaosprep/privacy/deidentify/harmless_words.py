"""Words of descriptions that tell nobody: how an image was made, and what it shows."""

import re
from functools import cache

from chaosprep.privacy.common_words import FIELD, PARTICLES, PLACEHOLDERS
from chaosprep.privacy.spelling import plain

# How images are made, as makers and departments write it.
_TECHNIQUE = """
2d 3d 4d aa abd aif alara alias aliased aligned amp amplitude ang angio angiogram angiography ant
anterior ap apparent app arc art arterial asc ascending asl attenuation auto autoalign av avg axi
axial axt balanced bandwidth barium bffe bh bhs blade blackblood bolus bone booster bravo bright
brightblood bssfp bw bypass calib calibration caipi caipirinha care carotids cbf cbv cemra cest cine
ciss clr cmp coef coeff coefficient collateral colonoscopy colonography combined comp compressed
compression cont contraindication cont contrast conv conversion convolution coronar coronary cse cspine
cta ctp ctv csf dce defecography dent desc descending dess dicomized dist distortion diffusion
dixon dl dle dlir dose dsa dsc dti dual dyn eadc eb ech echo echos ecg edr eff eddy enterography
enterographie ep ep2d epfid epi epse err es exam exponential exp factor factors fa fast fat fatsat fb
fbp ffe ffdm fgre fid fiesta fil filt filtered finger fisp flair flash flex flow fmri fmap fov fr frac
fracture freebreathing frfse fs fse fsgr fsgre fspgr fully functional fw gd gantry gated gating gfr
gradecho grappa gre gtv hals haste hc hd head headneck hifov hr hires high highres hip hlw hnt hrct
hu iac idr imrt ima image in inhance inp inph inphase int interleaved inv inversion ip ipat ir
irreversible ispace iterative itv iv jpeg jpegls kernel kidneys kv kvp kw langs last lat laterals lava
lavaflex lbs lesion loc localiser localizer loca lossless lossy lower lowdose lspine lws ma mag magn
magnetization mapit mapping mar mas mask mb mbir mdct mdixon meas measurement measurements
measured medic megre mf mfast mid min mip minip moco molli mono monoe motion mp mp2rage mpr mprage mpgr
mpsag mr mra mrangio mrcp mre mri mrs mrv ms mtc mtr mtt multi multiframe multiphase mv myelo
myelogram nav navigator nativ native nc nce nd ndl nema nex nm noise noncontrast nonenhanced norm normal
np nsa num obl obli obliq oblique off onc oof op opp opph opposed opposedphase oph ost out
outp outphase outofphase pa par para pat pause pca pcct pd pdw perf perfusion pet petct petmr pf pft
pfov ph phase phaseencode phl pilot plain pns pos post postcon postcontrast postgad post portal
portalvenous portovenous postop pp pre precon precontrast precision pro prep preop presat prod projected
proj projection propeller prone prop psif ptv pure pv pwi qiba qt quant quality quick rad radial
ratio real rec recon reconstructed red reduced ref reg registered rel rep resampled rescaled resolve
rest resp respgated retro reversible rfov rgb rms roi rot routine rr rtdose rtstruct rv rx sagital
sagittal sat sbref sc scaled scan scanogram scint scout se seg segment segmentation segmentations
seq ser serial sense sfov sharp shim shortaxis si slab slc sm smart smartscore smartprep smooth
snr space spc spgr spair spect spectroscopy spectral spetralis spin spine spiral spir spo2 spoiled
ssd sse ssfp ssfse ssh sshs stack standard stat static stir stirs strat stress sub subtracted
subtraction supine sure suv swan swi sws symmetric syngo tair tab tbone temporal tfe tfi tfl
thick thin thickslab thinslab thk thr thrive tilt timed timeseries tir tirm tissue tmax tnt tof
topo topogram tort tra tracew trans transversal transverse treatment tri tridyn trig triple triphasic trk trough tru
truefisp trufi tse tspine ttc ttp tumour turbo twist ute unaliased uncompressed unenhanced
upright us var vasc ven venous venosa verse vhd vibe view views virtual vista vmi vol volumetric
vpct vr vrt wb wbc wfi wide wip wo wholebody width windowed wm wocontrast wr xd xe xp xr xrt zte
asir asirv admire adaptive bestdiast bestsyst diast dias syst sys detail hires idose imr safire
veo clearview edge lungs softtissue mediastinal bony stnd br bv hf hrs hn qr ur sa sn vhr dedicated
cm deg ghz hz kev khz kg mgy mhz mm mmol msec ml min ms sec slice slices sl ch dir dirs
breathhold breathholds respiration respiratory triggered trigger cycle cycles
airway air kernel pixel raw results report reports collection coefficient parametric maps
adc b bval bvalue calc calculated computed synthetic hybrid trace dwibs zoomit resolve ivim
kurtosis tensor tract tractography fractional anisotropy mean md rd ad
ph1 ph2 wash washin washout uptake hepatobiliary hbp hepatobil primovist gadovist
gadolinium omnipaque omniscan multihance magnevist dotarem eovist ultravist visipaque iomeron iopamidol
isovue optiray prohance gadoterate gadobutrol gadoxetate iodine iodinated water oral rectal agent
fdg tracer psma ga68 f18 c11 tc99m
cortex cortical subcortical gtvp gtvn ctvp ptvn oar prv couch external outline boost isodose
reference avoid avoidance optimisation optimization plan planning fraction margin ring shell dosimetry
cochlea cochleas hippocampi chiasma chiasm parotids submand submandibular pharynx constrictor
brachial plexus spinalcord femoralhead bowelbag penilebulb lad lca rca lv rv la ra myo
core edema enhancing nonenhancing necrosis necrotic lesions metastases nodules cysts calcification
calcifications calcium thrombus stenosis aneurysm stent implant prosthesis screw catheter tube needle
clip device electrode marker fiducial artefact artifact artifacts artefacts manual automatic semi
semiautomatic trial test testing image images user observer reader rater consensus version row rows
lobe lobes upper lower middle superior inferior proximal distal
caudal cranial cephalic dorsal ventral rostral medial lateral ipsilateral contralateral bilateral
unilateral
"""
# The same in other languages.
_ELSEWHERE = """
abdomen abdome addome becken bauch brust schadel kopf hals wirbelsaule halswirbelsaule
brustwirbelsaule lendenwirbelsaule bws hws knie schulter hufte ellenbogen handgelenk sprunggelenk
fuss axiale axiaux axiales coronale koronar coronales sagittale sagitale transversale nativ spat
arteriell portalvenos venos verzogert kontrastmittel ohne mit schicht schichten dunn dick
cabeza cerebro columna rodilla cuello higado bazo rinones rinon torax cadera hombro axiales
tete cerveau cou thorax bassin genou epaule hanche rachis foie rate reins poumon poumons
arteriel portal tardif veineux injecte sans injection coupes fines epaisses
testa encefalo collo torace bacino ginocchio spalla anca colonna fegato milza reni polmone polmoni
arteriosa portale tardiva venosa basale strato sottile contrasto
cabeca pescoco pelve joelho ombro quadril coluna figado baco rins pulmao pulmoes
hoofd hersenen nek borst bekken knie schouder heup wervelkolom lever milt nieren longen
"""
# Of the words of folders, what tells something of a person, or of a day, or of a place.
_TELLING = """
adult age apr april aug august baseline brats cohort dec december feb february fed female feb
federal first friday hospital infant institute jan january jul july jun june male man mar march may
men monday months nov november oct october old patient pat patients philips phillips saturday
sep sept september site sites subject sunday thursday tuesday van wednesday woman women young years
year januar februar mai marz juni juli oktober dezember human clinic clinical case field world job
work name id unit dr md research
"""
_UNITS = frozenset(
    "b o cc ch cm deg dir dirs hz kev khz kv kvp ma mas mhz mgy mg ml mm ms mmol msec "
    "min s sec sl t te ti tr w x".split()
)
_LETTERS = re.compile(r"[^\W\d_]+")


@cache
def harmless_words() -> frozenset[str]:
    """Words that may stay, as `spelling.plain` makes them."""
    told = {plain(one) for one in (*_TELLING.split(), *PARTICLES, *PLACEHOLDERS)}
    usual = {plain(one) for one in FIELD} - told
    return frozenset(usual | {*_TECHNIQUE.split(), *_ELSEWHERE.split()} - told) | _UNITS


@cache
def anatomical_words() -> frozenset[str]:
    """Words of DICOM's names of structures and regions (PS3.16), without names of people in them.

    These are written with a capital; a word counts that is somewhere written without.
    """
    from pydicom.sr.codedict import codes

    found = set()
    for group in ("cid4", "cid7191", "cid7192", "cid7194", "cid7197"):
        collection = getattr(codes, group)
        for name in collection.dir():
            meaning = getattr(collection, name).meaning
            found.update(word for word in _LETTERS.findall(meaning) if word.islower())
    return frozenset(map(plain, found))
