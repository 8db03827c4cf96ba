"""Words of descriptions that tell nobody: how an image was made, and what it shows."""

import re
from functools import cache

from chaosprep.privacy.common_words import FIELD, PARTICLES, PLACEHOLDERS
from chaosprep.privacy.spelling import plain

# How images are made, as makers and departments write it.
_TECHNIQUE = """
2d 3d 4d aa abd ad adaptive adc admire agent aif air airway alara alias aliased aligned amp
amplitude aneurysm ang angio angiogram angiography anisotropy ant anterior ap app apparent arc art
artefact artefacts arterial artifact artifacts asc ascending asir asirv asl attenuation auto
autoalign automatic av avg avoid avoidance axi axial axt b balanced bandwidth barium bestdiast
bestsyst bffe bh bhs bilateral blackblood blade bolus bone bony boost booster bowelbag br brachial
bravo breathhold breathholds bright brightblood bssfp bv bval bvalue bw bypass c11 caipi caipirinha
calc calcification calcifications calcium calculated calib calibration care carotids catheter
caudal cbf cbv cemra cephalic cest ch chiasm chiasma cine ciss clearview clip clr cm cmp cochlea
cochleas coef coeff coefficient collateral collection colonography colonoscopy combined comp
compressed compression computed consensus constrictor cont contraindication contralateral contrast
conv conversion convolution core coronar coronary cortex cortical couch cranial cse csf cspine cta
ctp ctv ctvp cycle cycles cysts dce dedicated defecography deg dent desc descending dess detail
device dias diast dicomized diffusion dir dirs dist distal distortion dixon dl dle dlir dorsal dose
dosimetry dotarem dsa dsc dti dual dwibs dyn eadc eb ecg ech echo echos eddy edema edge edr eff
electrode enhancing enterographie enterography eovist ep ep2d epfid epi epse err es exam exp
exponential external f18 fa factor factors fast fat fatsat fb fbp fdg femoralhead ffdm ffe fgre fid
fiducial fiesta fil filt filtered finger fisp flair flash flex flow fmap fmri fov fr frac fraction
fractional fracture freebreathing frfse fs fse fsgr fsgre fspgr fully functional fw ga68 gadobutrol
gadolinium gadoterate gadovist gadoxetate gantry gated gating gd gfr ghz gradecho grappa gre gtv
gtvn gtvp hals haste hbp hc hd head headneck hepatobil hepatobiliary hf hifov high highres hip
hippocampi hires hlw hn hnt hr hrct hrs hu hybrid hz iac idose idr ima image images implant imr
imrt in inferior inhance inp inph inphase int interleaved inv inversion iodinated iodine iomeron
iopamidol ip ipat ipsilateral ir irreversible isodose isovue ispace iterative itv iv ivim jpeg
jpegls kernel kev kg khz kidneys kurtosis kv kvp kw la lad langs last lat lateral laterals lava
lavaflex lbs lca lesion lesions lobe lobes loc loca localiser localizer lossless lossy lowdose
lower lspine lungs lv lws ma mag magn magnetization magnevist manual mapit mapping maps mar margin
marker mas mask mb mbir md mdct mdixon mean meas measured measurement measurements medial
mediastinal medic megre metastases mf mfast mgy mhz mid middle min minip mip ml mm mmol moco molli
mono monoe motion mp mp2rage mpgr mpr mprage mpsag mr mra mrangio mrcp mre mri mrs mrv ms msec mtc
mtr mtt multi multiframe multihance multiphase mv myelo myelogram myo nativ native nav navigator nc
nce nd ndl necrosis necrotic needle nema nex nm nodules noise noncontrast nonenhanced nonenhancing
norm normal np ns nsa num oar obl obli obliq oblique observer off omnipaque omniscan onc oof op oph
opp opph opposed opposedphase optimisation optimization optiray oral ost out outline outofphase
outp outphase pa par para parametric parotids pat pause pca pcct pd pdw penilebulb perf perfusion
pet petct petmr pf pfov pft ph ph1 ph2 pharynx phase phaseencode phl pilot pixel plain plan
planning plexus pns portal portalvenous portovenous pos post postcon postcontrast postgad postop pp
pre precision precon precontrast preop prep presat primovist pro prod prohance proj projected
projection prone prop propeller prosthesis proximal prv psif psma ptv ptvn pure pv pwi qiba qr qt
quality quant quick ra rad radial rater ratio raw rca rd reader real rec recon reconstructed rectal
red reduced ref reference reg registered rel rep report reports resampled rescaled resolve resp
respgated respiration respiratory rest results retro reversible rfov rgb ring rms roi rostral rot
routine row rows rr rtdose rtstruct rv rx sa safire sagital sagittal sat sbref sc scaled scan
scanogram scint scout screw se sec seg segment segmentation segmentations semi semiautomatic sense
seq ser serial sfov sharp shell shim shortaxis si sl slab slc slice slices sm smart smartprep
smartscore smooth sn snr softtissue space spair spc spect spectral spectroscopy spetralis spgr spin
spinalcord spine spir spiral spo2 spoiled ssd sse ssfp ssfse ssh sshs stack standard stat static
stenosis stent stir stirs stnd strat stress sub subcortical submand submandibular subtracted
subtraction superior supine sure suv swan swi sws symmetric syngo synthetic sys syst tab tair tbone
tc99m temporal tensor test testing tfe tfi tfl thick thickslab thin thinslab thk thr thrive
thrombus tilt timed timeseries tir tirm tissue tmax tnt tof topo topogram tort tra trace tracer
tracew tract tractography trans transversal transverse treatment tri trial tridyn trig trigger
triggered triphasic triple trk trough tru truefisp trufi tse tspine ttc ttp tube tumour turbo twist
ultravist unaliased uncompressed unenhanced unilateral upper upright uptake ur us user ute var vasc
ven venosa venous ventral veo verse version vhd vhr vibe view views virtual visipaque vista vmi vol
volumetric vpct vr vrt wash washin washout water wb wbc wfi wholebody wide width windowed wip wm wo
wocontrast wr xd xe xp xr xrt zoomit zte
"""
# The same in other languages.
_ELSEWHERE = """
abdome abdomen addome anca arteriel arteriell arteriosa axiale axiales axiaux bacino baco basale
bassin bauch bazo becken bekken borst brust brustwirbelsaule bws cabeca cabeza cadera cerebro
cerveau collo colonna columna coluna contrasto coronale coronales cou coupes cuello dick dunn
ellenbogen encefalo epaisses epaule fegato figado fines foie fuss genou ginocchio hals
halswirbelsaule hanche handgelenk hersenen heup higado hombro hoofd hufte hws injecte injection
joelho knie kontrastmittel kopf koronar lendenwirbelsaule lever longen milt milza mit nativ nek
nieren ohne ombro pelve pescoco polmone polmoni portal portale portalvenos poumon poumons pulmao
pulmoes quadril rachis rate reins reni rinon rinones rins rodilla sagitale sagittale sans schadel
schicht schichten schouder schulter sottile spalla spat sprunggelenk strato tardif tardiva testa
tete thorax torace torax transversale veineux venos venosa verzogert wervelkolom wirbelsaule
"""
# Of the words of folders, what tells something of a person, or of a day, or of a place.
_TELLING = """
adult age apr april aug august baseline brats case clinic clinical cohort dec december dezember dr
feb februar february fed federal female field first friday hospital human id infant institute jan
januar january job jul juli july jun june juni mai male man mar march marz may md men monday months
name nov november oct october oktober old pat patient patients philips phillips research saturday
sep sept september site sites subject sunday thursday tuesday unit van wednesday woman women work
world year years young
"""
# Units, and letters that stand alone: the axis of a size, a b-value, without (`w/o`).
_UNITS = """
b cc ch cm deg dir dirs hz kev khz kv kvp ma mas mg mgy mhz min ml mm mmol ms msec o s sec sl t te
ti tr w x
"""
_LETTERS = re.compile(r"[^\W\d_]+")


@cache
def harmless_words() -> frozenset[str]:
    """Words that may stay, as `spelling.plain` makes them."""
    told = {plain(one) for one in (*_TELLING.split(), *PARTICLES, *PLACEHOLDERS)}
    usual = {plain(one) for one in FIELD} - told
    return frozenset(usual | {*_TECHNIQUE.split(), *_ELSEWHERE.split()} - told) | {*_UNITS.split()}


@cache
def anatomical_words() -> frozenset[str]:
    """Words of DICOM's names of structures and regions (PS3.16), without names of people in them.

    These are written with a capital; a word counts that is somewhere written without.
    """
    from pydicom.sr.codedict import codes

    found: set[str] = set()
    for group in ("cid4", "cid7191", "cid7192", "cid7194", "cid7197"):
        collection = getattr(codes, group)
        for name in collection.dir():
            meaning = getattr(collection, name).meaning
            found.update(word for word in _LETTERS.findall(meaning) if word.islower())
    return frozenset(map(plain, found))
