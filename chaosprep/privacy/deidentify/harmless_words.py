"""Words of descriptions that tell nobody: how an image was made, and what it shows."""

import re
from functools import cache

from chaosprep.privacy.common_words import FIELD, PARTICLES, PLACEHOLDERS
from chaosprep.privacy.spelling import plain

# How images are made, as makers and departments write it.
_TECHNIQUE = """
2d 3d 4d aa abd abscess acl ad adaptive adc adenocarcinoma admire agent aif air airway airways
alara alias aliased aligned amp amplitude aneurysm ang angio angiogram angiography anisotropy ant
anterior ap app apparent appendage appendix arc art artefact artefacts arterial artifact artifacts
asc ascending ascites asir asirv asl asset atria atrium attenuation auto autoalign autochthon
automatic av avg avoid avoidance axi axial axt b background balanced bandwidth barium bestdiast
bestsyst bffe bg bh bhs bicep bilateral bile biliary bl blackblood bladderwall blade bolus bone
bony boost booster bowelbag br brachial brachiocephalic bravo breathhold breathholds bright
brightblood bssfp btfe bulb bv bval bvalue bw bypass c11 caipi caipirinha calc calcification
calcifications calcium calculated calib calibration canal cap care carotids cartilage cartilages
catheter caudal cbf cbv cemra cephalic cest ch chiasm chiasma cine ciss clavicula clearview clip
clr cm cmp cochlea cochleas coef coeff coefficient collateral collection colonic colonography
colonoscopy combined comp compressed compression computed consensus consolidation constrictor cont
contra contraindication contralateral contrast conv conversion convolution core coronar coronary
cortex cortical couch covid cranial cse csf cspine cta ctp ctsim ctv ctvp cycle cycles cystic cysts
dce dedicated defecography deg dent desc descending dess detail device dias diast diastole
diastolic dicomized diffusion dir dirs disc discs dist distal distortion dixon dl dle dlir dorsal
dose dosimetry dotarem drain dsa dsc dti dual duodenal dwibs dyn dyndist dynthrive eadc eb ecg ech
echo echos eddy edema edge edr eff effusion elective electrode electrodes emphysema endplate
enhancing enterographie enterography eovist ep ep2d epfid epi epi2d epse err es esoph ethrive ett
exam exp exponential external f18 fa facet factor factors fast fat fatsat fb fbp fdg femoral
femoralhead fetal fetus ffdm ffe fgre fibrosis fid fiducial fiesta fil filt filtered finger fisp
flair flash flex flow fluid fmap fmri foramen foreground fov fr frac fraction fractional fracture
fractures freebreathing frfse fs fse fsgr fsgre fspgr fully functional fw ga68 gadobutrol
gadolinium gadoterate gadovist gadoxetate gallstone gantry gastric gated gating gd gfr ggo ghz
glioblastoma glioma glnd gluteus gm gradecho grappa gre gtv gtvn gtvp haematoma haemorrhage hals
haste hbp hc hcc hd head headneck hematoma hemorrhage hepatobil hepatobiliary hf hifov high highres
hip hippocampi hires hlw hn hnt hr hrct hrs hu hybrid hz iac idose idr igtv igtvn igtvp ileal
iliopsoas ima imag image images imat implant implants imr imrt in index infarct inferior inhance
inp inph inphase int interleaved inv inversion iodinated iodine iomeron iopamidol ip ipat ipsi
ipsilateral ir irreversible ischemia isodose isometric isovue ispace iterative itv iv ivc ivim
jejunal jpeg jpegls kernel kev kg khz kidneys kurtosis kv kvp kw la labrum lad lag langs last lat
lateral laterals lava lavaflex lbs lca lens lesion lesions lic ligament lips ln lob lobe lobes loc
loca localiser localizer localizers lossless lossy lowdose lower lspine lumbar lumen lungs lv lws
ma mag magn magnetization magnevist mandibular manual mapit mapping maps mar margin marker marrow
mas mask mass masses maximus mb mbh mbir md mdct mdixon mean meas measured measurement measurements
medial mediastinal medic medius megre meningioma meniscal metastases metastatic mf mfast mgy mhz
mid middle min minimus minip mip ml mm mmol mobiview moco molli mono monoe mosaic motion mp mp2rage
mpgr mpr mprage mprange mpsag mr mra mrangio mrcp mre mri mrs mrv ms msec mtc mtr mtt multi
multiframe multihance multiphase musc mv myelo myelogram myo nativ native nav navigator nc nce ncr
nd ndl necrosis necrotic needle nema nex nm nodal nodules noise noncontrast nonenhanced
nonenhancing norm normal np nrv ns nsa ntv num oar obl obli obliq oblique observer off omnipaque
omniscan onc oof op oph opp opph opposed opposedphase opt optic opticnrv optimisation optimization
optiray oral ost osteophyte out outline outofphase outp outphase pa pacemaker pancreatic par para
parametric parenchyma parotids pat patellar pause pca pcct pcl pd pdw pel penile penilebulb perf
perfusion periosteum peripheral pet petct petmr pf pfov pft ph ph1 ph2 pharynx phase phaseencode
phl pilot pixel pl placenta plain plan planning pleural plexus pneumonia pns polyp polyps port
portal portalvenous portovenous pos posdisp post postcon postcontrast postgad postop pp pre
precision precon precontrast preop prep presat primary primovist pro process prod prohance proj
projected projection prone prop propeller prosthesis proximal prv psif psma psoas ptv ptvn pure pv
pwi pz qiba qr qt quality quant quick ra rad radial rag rater ratio raw rca rd reader real rec
recon reconstructed rectal rectalwall recurrence red reduced ref reference reformat reformats
refscan reg registered rel rep report reports resampled rescaled resection residual resolve resp
respgated respiration respiratory rest results retro reversible rfov rgb ring rms roi rostral rot
routine row rows rps rr rtdose rtr rtstruct rv rx sa sacral safire sagital sagittal sarcopenia sat
sbref sc scaled scan scanogram scar scint scout screw se sec seg segment segmentation segmentations
semi semiautomatic seminal sense seq ser serial sfov sharp shell shim shortaxis si sl slab slc
slice slices sm smart smartprep smartscore smooth sn snr softtissue solid space spair spc spect
spectral spectroscopy spetralis spgr spin spinalcord spine spinous spir spiral splenic spo spo2
spoiled ssd sse ssfp ssfse ssh sshs st st1w st2w stack standard stat static station stenosis stent
stir stirs stnd stone stones strat stress stroke sub subcortical submand submandibular subtracted
subtraction superior supine sure survey surview suv svc sw swan swi sws symmetric syngo synthetic
sys syst systole systolic tab tair tbone tc tc99m teeth temporal tendon tensor test testing tfe tfi
tfl thick thickslab thin thinslab thk thr thrive thrombus tibial tilt timed timeseries tir tirm
tissue tmax tnt tof topo topogram tort tra trace tracer tracew tract tractography trans transition
transitional transversal transverse treatment tri trial tridyn trig trigger triggered triphasic
triple trk trough tru truefisp trufi trunk tse tspine ttc ttp tube tubule tumorcore tumour turbo tv
twist tz ultravist unaliased uncompressed unenhanced unilateral upper upright uptake ur urethra
urine us user ute var vasc vasculature vat ven venosa venous ventral veo verse version vessels vhd
vhr vibe view views virtual visipaque vista vmi vol volumetric vpct vr vrt wash washin washout
water wb wbc wfi whole wholebody wide width windowed wip wm wo wocontrast wr xd xe xp xr xrt zone
zoomit zte
"""
# The same in other languages.
_ELSEWHERE = """
abdome abdomen addome anca arteriel arteriell arteriosa axiale axiales axiaux bacino baco basale
bassin bauch bazo becken bekken borst brust brustwirbelsaule bws cabeca cabeza cadera cerebro
cerveau collo colonna columna coluna contrasto coronale coronales cou coupes cuello dick
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
adult age apr april aug august baseline brats case clinic clinical cohort day days dec december
dezember dr feb februar february fed federal female friday hospital human id infant institute jan
januar january jul juli july jun june juni mai male man mar march marz may md men monday months
name nov november oct october oktober old pat patient patients philips phillips research saturday
sep sept september site sites subject sunday thursday tuesday van wednesday woman women year years
young
"""
# Units, and letters that stand alone: of sizes, sides, fat and water, arteries, `w/o`.
_UNITS = """
a b c cc ch cm d deg dir dirs f hz i kev khz kv kvp l ma mas mg mgy mhz min ml mm mmol ms msec o p
r s sec sl t te ti tr v w x
"""
# In names of structures; others are of the form of `Boyd's`.
_DISCOVERERS = "couinaud giacomini hunterian willis"
_WORDS = re.compile(r"(?<![\w'])[^\W\d_]+(?![\w'])")


@cache
def harmless_words() -> frozenset[str]:
    """Words that may stay, as `spelling.plain` makes them."""
    told = {plain(one) for one in (*_TELLING.split(), *PARTICLES, *PLACEHOLDERS)}
    usual = {plain(one) for one in FIELD} - told
    return frozenset(usual | {*_TECHNIQUE.split(), *_ELSEWHERE.split()} - told) | {*_UNITS.split()}


@cache
def anatomical_words() -> frozenset[str]:
    """Words of DICOM's names of structures and regions (PS3.16), without people's in them."""
    from pydicom.sr.codedict import codes

    found: set[str] = set()
    for group in ("cid4", "cid7191", "cid7192", "cid7194", "cid7197"):
        collection = getattr(codes, group)
        for name in collection.dir():
            found.update(_WORDS.findall(getattr(collection, name).meaning))
    return frozenset(map(plain, found)) - {*_DISCOVERERS.split(), *_TELLING.split()}
